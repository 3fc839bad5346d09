// What can be pressed during a call, and what each button does.

import { say } from "../core/ui.js";
import { memory } from "./browser.js";
import { Outgoing } from "./outgoing.js";
import { closePanel, togglePanel } from "./views.js";

const byId = (id) => document.getElementById(id);

/** One key for each thing of a call. They can be switched off: whoever speaks to their computer, or
    touches keys by accident, would press them unawares. `acts` are what a key may do, by its letter; `isOn` whether the call is in view. */
function listenToKeys({ acts, isOn, box }) {
  box.checked = memory.read().keys !== false;
  box.addEventListener("change", () => memory.write({ keys: box.checked }));
  addEventListener("keydown", (event) => {
    if (!isOn() || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (document.querySelector("dialog[open]") || event.target.closest?.("input:not([type=checkbox]), select, textarea")) return;
    const act = acts[event.key.toLowerCase()];
    if (!act || (event.key !== "Escape" && !box.checked)) return;
    if (act() !== false) event.preventDefault();
  });
}

/** Gives all buttons and keys their acts. Returns { draw, endAudioOnly, keepMode }:
    the first shows how they stand, the last remembers with what somebody is here. */
export function startControls({ devices, outgoing, stage, peers, quality, pickers, useTracks, isInCall, openSafety, leave, end }) {
  let hadCamera = memory.read().hadCamera ?? true;
  const acts = {
    async mute() {
      const isOpen = devices.tracks.audio?.readyState === "live";
      if (isOpen) devices.mute(!devices.muted); else devices.muted = false;
      const opened = isOpen || devices.want("audio", true);
      memory.write({ muted: devices.muted });
      keepMode();
      await opened;
      if (devices.muted) say("You are muted");
      else say(devices.microphoneOn ? "You can be heard" : "You can’t be heard: the microphone did not start");
    },
    async camera() {
      if (outgoing.audioOnly) endAudioOnly();
      const done = devices.want("video", !devices.cameraOn);
      keepMode();
      await done;
      if (devices.cameraOn) say("Your camera is on");
      else say(devices.wants.video ? "Your camera did not start" : "Your camera is off");
    },
    async audioOnly() {
      if (outgoing.audioOnly) {
        endAudioOnly();
        if (hadCamera) await devices.want("video", true);
        say("Pictures are back");
      } else {
        hadCamera = devices.wants.video;
        outgoing.audioOnly = true;
        memory.write({ audioOnly: true, hadCamera });
        outgoing.stopSharing();
        await devices.want("video", false);
        draw();
        say("Audio only");
      }
      keepMode();
    },
    async share() {
      if (outgoing.screen) { outgoing.stopSharing(); return; }
      if (await outgoing.share()) say("Everybody in the call sees your screen");
    },
    safety: openSafety,
    more() { togglePanel("panel-more", pickers.bring); },
    choose: pickers.toggleDrawer,
    close: closePanel,
    self() {
      const isHidden = byId("stage").classList.toggle("self-hidden");
      memory.write({ selfHidden: isHidden });
      draw();
      say(isHidden ? "Your own picture is hidden. The others see you all the same." : "You see your own picture");
    },
    full() {
      if (document.fullscreenElement) document.exitFullscreen();
      else byId("main").requestFullscreen?.().catch(() => say("The browser does not allow full screen here."));
    },
    async beside() {
      if (document.pictureInPictureElement) { await document.exitPictureInPicture(); return; }
      await stage.foremost?.requestPictureInPicture?.().catch(() => say("The browser does not allow it here."));
    },
    leave,
    end() { byId("ending").showModal(); },
  };
  for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", () => acts[button.dataset.do]());
  // It goes away as it is pressed.
  byId("resume").addEventListener("click", () => document.querySelector("#main > section:not([hidden]) h1")?.focus({ preventScroll: true }));
  byId("ending")?.addEventListener("close", ({ target }) => { if (target.returnValue === "end") end(); target.returnValue = ""; });

  function endAudioOnly() {
    outgoing.audioOnly = false;
    memory.write({ audioOnly: false });
    useTracks();
    draw();
  }

  /** What the buttons of the call say of themselves, and what only some browsers can do. */
  function draw() {
    const pressed = { audioOnly: outgoing.audioOnly, share: Boolean(outgoing.screen), self: byId("stage").classList.contains("self-hidden") };
    for (const [act, isOn] of Object.entries(pressed)) {
      for (const button of document.querySelectorAll(`[data-do="${act}"][aria-pressed]`)) button.setAttribute("aria-pressed", String(isOn));
    }
    const held = byId("sharing").contains(document.activeElement);
    byId("sharing").hidden = !outgoing.screen;
    if (held && !outgoing.screen) byId("call-title").focus({ preventScroll: true });
    for (const peer of peers.values()) { stage.drawSoon(peer); quality.fit(peer).catch(() => { /* closed meanwhile */ }); }
  }
  const can = { share: Outgoing.canShare, full: document.fullscreenEnabled, beside: document.pictureInPictureEnabled };
  for (const [act, isPossible] of Object.entries(can)) {
    for (const each of document.querySelectorAll(`.panel [data-do="${act}"], [data-key="${act}"]`)) each.hidden = !isPossible;
  }
  outgoing.audioOnly = memory.read().audioOnly === true;
  byId("stage").classList.toggle("self-hidden", memory.read().selfHidden === true);
  draw();
  document.querySelector(".controls").inert = false;
  listenToKeys({
    isOn: isInCall, box: byId("keys"),
    acts: { m: acts.mute, v: acts.camera, a: acts.audioOnly, w: acts.safety, s: acts.share, h: acts.self, f: acts.full, p: acts.beside, "?": acts.more, escape: acts.close },
  });

  function keepMode() {
    memory.write({ mode: devices.wants.video ? "video" : devices.wants.audio ? "audio" : "listen" });
  }

  return { draw, endAudioOnly, keepMode };
}
