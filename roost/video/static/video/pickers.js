// Which camera, microphone and loudspeaker: one box, which stands in the device check and is brought
// into the waiting room and beside the call when it is asked for.

const byId = (id) => document.getElementById(id);
const LOUD = 8;
const NAMES = { video: "Camera", audio: "Microphone", speaker: "Speaker" };

/** Lists in `select` what there is of one kind, with what is used now chosen. */
export async function fill(select, kind, devices) {
  const all = await devices.list(kind);
  const name = NAMES[kind], now = devices.tracks[kind]?.getSettings().deviceId ?? devices.picked[kind];
  const options = all.map((each, n) => new Option(each.label || `${name} ${n + 1}`, each.deviceId));
  if (!all.length) options.push(new Option(`No ${name.toLowerCase()}`, ""));
  // Not every browser lists the one that it takes unasked.
  else if (kind === "speaker" && !all.some(({ deviceId }) => deviceId === "default")) options.unshift(new Option("The usual one", ""));
  select.replaceChildren(...options);
  if (options.some(({ value }) => value === now)) select.value = now;
  select.disabled = !all.length;
  // Some browsers choose it themselves, and name none.
  if (kind === "speaker") select.hidden = !all.length || !HTMLMediaElement.prototype.setSinkId;
}

/** Lets the three tones be heard on a press of `button`, from the loudspeaker that was chosen. `said`
    is told whether they play. */
export function startTones(button, devices, said) {
  button.hidden = !window.AudioContext;
  button.addEventListener("click", async () => {
    // Within the press: some browsers play nothing otherwise.
    const context = new AudioContext();
    context.resume();
    try {
      const { playTones } = await import("./tones.js");
      await playTones(context, devices.picked.speaker);
      said(true);
    } catch {
      context.close();
      said(false);
    }
  });
}

/** `asked` is told what is about to be changed, "video", "audio" or "speaker"; `picked` that it was.
    Returns { look, settle, toggleDrawer, bring }. */
export function startPickers({ devices, stage, asked, picked }) {
  const box = byId("pickers"), meter = byId("level"), words = byId("level-words"), playWords = byId("play-words");
  const drawer = byId("waiting-pickers"), more = byId("more-pickers");
  const selects = { video: byId("pick-camera"), audio: byId("pick-microphone"), speaker: byId("pick-speaker") };
  const isSeen = (place) => Boolean(place) && !place.closest("[hidden]");
  const list = () => { for (const [kind, select] of Object.entries(selects)) fill(select, kind, devices); };

  function showLevel() {
    let heard = false;
    meter.value = 0;
    if (!devices.tracks.audio) { words.textContent = devices.troubles.audio ? "We can’t hear you just now." : "Your microphone is off."; return; }
    words.textContent = devices.muted ? "You are muted." : "Say a few words and watch the bar.";
    devices.meter((level) => {
      if (!isSeen(box)) { devices.stopMeter(); return; }
      meter.value = level;
      meter.textContent = `${level} %`;
      if (level <= LOUD || heard) return;
      heard = true;
      // In the waiting room it stands beside “Nobody sees or hears you”.
      words.textContent = byId("enter").contains(box) ? "We can hear you. Say a few words and watch the bar." : "Your microphone works.";
    });
  }

  /** Lists what there is and follows the microphone, while that is in view. */
  function look() {
    if (!isSeen(box)) return;
    list();
    showLevel();
  }

  for (const [kind, select] of Object.entries(selects)) {
    select.addEventListener("change", async () => {
      asked(kind);
      await devices.pick(kind, select.value);
      picked(kind);
      useSpeaker();
    });
  }
  startTones(byId("play"), devices, (isPlaying) => {
    const orAnother = selects.speaker.hidden ? "" : ", or choose another speaker";
    playWords.textContent = isPlaying ? `Three tones are playing. If you hear none, turn the volume up${orAnother}.` : "The tones could not be played. Try again in a moment.";
  });
  const useSpeaker = () => stage.useSpeaker(devices.picked.speaker);
  useSpeaker();
  navigator.mediaDevices?.addEventListener?.("devicechange", () => {
    // The loudspeaker that was chosen may be back.
    useSpeaker();
    if (isSeen(box)) list();
  });

  /** Lets the box stand in `place`, which is in view. */
  function bring(place) {
    playWords.textContent = "";
    place.append(box);
    look();
  }

  return {
    look,
    bring: () => bring(more),
    toggleDrawer() {
      drawer.hidden = !drawer.hidden;
      document.querySelector(`[aria-controls="${drawer.id}"]`).setAttribute("aria-expanded", String(!drawer.hidden));
      if (drawer.hidden) return;
      bring(drawer);
      drawer.scrollIntoView({ block: "nearest" });
    },
    /** In another view the box stands where it was asked for there. */
    settle() {
      const place = [drawer, more].find(isSeen);
      if (place) bring(place);
    },
  };
}
