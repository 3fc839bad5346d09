// Which camera, microphone and loudspeaker: one box, which stands in the device check and is brought
// into the waiting room and beside the call when it is asked for.

const byId = (id) => document.getElementById(id);
const NAMES = { video: "Camera", audio: "Microphone", speaker: "Speaker" };

/** Lists in `select` what there is of one kind, with what is used now chosen. */
export async function fill(select, kind, devices) {
  const all = await devices.list(kind);
  const name = NAMES[kind], now = devices.tracks[kind]?.getSettings().deviceId ?? (devices.picked[kind] || select.value);
  const options = all.map((each, n) => new Option(each.label || `${name} ${n + 1}`, each.deviceId));
  select.replaceChildren(...(options.length ? options : [new Option(`No ${name.toLowerCase()}`, "")]));
  if (all.some(({ deviceId }) => deviceId === now)) select.value = now;
  select.disabled = !all.length;
  // Some browsers choose it themselves, and name none.
  if (kind === "speaker") select.hidden = !all.length || !HTMLMediaElement.prototype.setSinkId;
}

/** Lets the three tones be heard on a press of `button`, from the loudspeaker that `select` names;
    `playing` is told. */
export function startTones(button, select, playing) {
  button.addEventListener("click", async () => {
    // Within the press: some browsers play nothing otherwise.
    const context = new AudioContext();
    playing();
    const { playTones } = await import("./tones.js");
    playTones(context, select.hidden ? "" : select.value);
  });
}

/** `asked` is told what is about to be changed, "video", "audio" or "speaker"; `picked` also what it
    was changed to. Returns { look, bring }. */
export function startPickers({ devices, stage, asked, picked }) {
  const box = byId("pickers"), meter = byId("level"), words = byId("level-words");
  const selects = { video: byId("pick-camera"), audio: byId("pick-microphone"), speaker: byId("pick-speaker") };
  const isShown = () => !box.closest("[hidden]");
  const list = () => { for (const [kind, select] of Object.entries(selects)) fill(select, kind, devices); };

  function showLevel() {
    let heard = false;
    meter.value = 0;
    if (!devices.tracks.audio) { words.textContent = devices.troubles.audio ? "We can’t hear you just now." : "Your microphone is off."; return; }
    devices.meter((level) => {
      if (!isShown()) { devices.stopMeter(); return; }
      meter.value = level;
      meter.textContent = `${level} %`;
      if (level > 8 && !heard) { heard = true; words.textContent = "We can hear you. Say a few words and watch the bar."; }
    });
  }

  /** Lists what there is and follows the microphone, while that is in view. */
  function look() {
    if (!isShown()) return;
    list();
    showLevel();
  }

  for (const [kind, select] of Object.entries(selects)) {
    select.addEventListener("change", async () => {
      asked(kind);
      await devices.pick(kind, select.value);
      picked(kind, select.value);
      useSpeaker();
    });
  }
  startTones(byId("play"), selects.speaker, () => {
    byId("play-words").textContent = "Three tones are playing. If you hear none, turn the volume up, or choose another speaker.";
  });
  const useSpeaker = () => stage.useSpeaker(devices.picked.speaker);
  useSpeaker();
  navigator.mediaDevices?.addEventListener?.("devicechange", () => {
    // The loudspeaker that was chosen may be back.
    useSpeaker();
    if (isShown()) list();
  });

  return {
    look,
    /** Lets the box stand at the end of `place`, which is in view. */
    bring(place) { place.append(box); look(); },
  };
}
