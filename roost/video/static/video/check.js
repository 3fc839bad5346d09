// The device check: one's own picture, and what is wrong with camera and microphone. The own picture
// is drawn in the waiting room and the call, too.

import { memory } from "./browser.js";
import { helpWords, write } from "./practice.js";

const byId = (id) => document.getElementById(id);
// In the device check, the waiting room and the call: what is wrong is said in the one that is seen.
const NOTICES = ["troubles", "waiting-troubles", "call-troubles"];

/** `enter` is called once somebody wants to go in. Returns { draw, open }. */
export function startCheck({ devices, place, enter }) {
  /** Shows how camera and microphone stand, in whichever view. */
  function draw() {
    const { cameraOn, muted } = devices;
    for (const id of ["preview", "waiting-preview", "self"]) {
      const tile = byId(id);
      if (!tile) continue;
      tile.classList.toggle("tile-off", !cameraOn);
      tile.querySelector(".tile-note").hidden = cameraOn;
      const video = tile.querySelector("video");
      // Only where it is seen; and never an empty stream: the page would not finish loading.
      const stream = devices.tracks.video && !tile.closest("section").hidden ? devices.stream : null;
      if (video.srcObject !== stream) video.srcObject = stream;
    }
    const trouble = devices.troubles.video;
    byId("preview-note").lastElementChild.textContent = trouble ? "No camera picture" : "Your camera is off";
    const silent = muted || !devices.tracks.audio;
    for (const button of document.querySelectorAll('[data-do="mute"]')) button.setAttribute("aria-pressed", String(silent));
    for (const button of document.querySelectorAll('[data-do="camera"]')) button.setAttribute("aria-pressed", String(!cameraOn));
    drawTroubles();
  }

  // The words are fetched when there is something to say.
  let notices = null;
  async function drawTroubles() {
    const found = Object.keys(devices.troubles).length;
    if (!found && !notices) return;
    notices ??= import("./notices.js").then(({ noticeBox }) => NOTICES.map((id) => byId(id)).filter(Boolean).map((box) => [box, noticeBox(box, {
      place, again: () => devices.open(), isIn: box.id !== "troubles",
      // It stands at the foot of the waiting room.
      help: () => (box.id === "call-troubles" && helpWords ? write(document.createElement("span"), helpWords) : null),
    })]));
    const boxes = await notices.catch(() => { notices = null; });
    const { video, audio } = devices.troubles;
    for (const [box, show] of boxes ?? []) show(box.closest("section").hidden ? {} : { camera: video, microphone: audio });
  }

  /** Opens what was chosen here last. */
  async function open() {
    const { mode = "video", camera = devices.picked.video, microphone = devices.picked.audio, muted = false } = memory.read();
    devices.picked = { ...devices.picked, audio: microphone, video: camera };
    devices.wants = { audio: mode !== "listen", video: mode === "video" };
    devices.muted = muted;
    await devices.open();
  }

  byId("enter").addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = byId("name").value.trim();
    byId("name-field").classList.toggle("field-error", !name);
    if (!name) { byId("name").focus(); return; }
    const chosen = event.submitter?.value || "video";
    const mode = chosen === "video" && !devices.wants.video ? "audio" : chosen;
    if (mode !== "video") await devices.want("video", false);
    if (mode === "listen") await devices.want("audio", false);
    const settings = (kind) => devices.tracks[kind]?.getSettings().deviceId ?? "";
    memory.write({ entered: true, name, mode, camera: settings("video"), microphone: settings("audio"), muted: devices.muted });
    enter();
  });

  const { name } = memory.read();
  if (name) byId("name").value = name;
  // Pressed before now, they would load the page again.
  for (const button of byId("enter").querySelectorAll("[type=submit]")) button.disabled = false;
  return { draw, open };
}
