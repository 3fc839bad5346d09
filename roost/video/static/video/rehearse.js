// The rehearsal: camera, microphone, loudspeaker and the line, tried before a session.

import { say } from "../core/ui.js";
import { Devices } from "./devices.js";
import { loopback } from "./loopback.js";
import { noticeBox } from "./notices.js";
import { fill, startTones } from "./pickers.js";
import { resultOf, wayWords } from "./result.js";

const facts = document.getElementById("main").dataset;
const byId = (id) => document.getElementById(id);
const form = byId("findings");
const LOUD = 8, SILENT_AFTER = 12000, KEEP_AFTER = 800, LOAN_KEPT = 90000;

const found = { camera: "", microphone: "", speaker: "", connection: "" };
let way = "", kept = "", keeping = 0, silence = 0, tries = 0;

const devices = new Devices(devicesChanged);
const showNotices = noticeBox(byId("troubles"), { place: facts.place, again });

// -- camera and microphone --------------------------------------------------------------------------

function devicesChanged(what) {
  const { cameraOn, troubles } = devices;
  const preview = byId("preview");
  preview.classList.toggle("tile-off", !cameraOn);
  preview.querySelector(".tile-note").hidden = cameraOn;
  byId("preview-note").lastElementChild.textContent = troubles.video ? "No camera picture" : "Opening your camera";
  const video = preview.querySelector("video");
  const stream = devices.tracks.video ? devices.stream : null;
  if (video.srcObject !== stream) video.srcObject = stream;
  found.camera = troubles.video ?? (cameraOn ? "works" : "");
  if (what === "ended" && !cameraOn && found.camera === "") found.camera = "unknown";
  listen();
  fill(byId("pick-camera"), "video", devices);
  fill(byId("pick-microphone"), "audio", devices);
  fill(byId("pick-speaker"), "speaker", devices);
  draw();
}

/** The microphone works once something has been heard from it. */
let listening = null;
function listen() {
  const track = devices.tracks.audio, trouble = devices.troubles.audio ?? "";
  if (track && track === listening) {
    // Another one could not be taken: this one goes on.
    if (trouble) found.microphone = trouble;
    else if (!["works", "silent"].includes(found.microphone)) found.microphone = "";
    return;
  }
  listening = track;
  clearTimeout(silence);
  const meter = byId("level"), words = byId("level-words");
  meter.value = 0;
  found.microphone = trouble;
  words.textContent = track ? "Say a few words and watch the bar." : "We can’t hear you just now.";
  if (!track) return devices.stopMeter();
  silence = setTimeout(() => {
    if (found.microphone) return;
    if (!devices.isDeaf) found.microphone = "silent";
    else if (found.speaker !== "works") found.speaker = "missing";
    draw();
  }, SILENT_AFTER);
  devices.meter((level) => {
    meter.value = level;
    meter.textContent = `${level} %`;
    if (level <= LOUD || found.microphone === "works" || devices.troubles.audio) return;
    clearTimeout(silence);
    found.microphone = "works";
    // One has been plugged in meanwhile.
    if (found.speaker === "missing") found.speaker = "";
    words.textContent = "We can hear you.";
    draw();
  });
}

async function pick(kind, { target }) {
  await devices.pick(kind, target.value);
  tryLine();
}
byId("pick-camera").addEventListener("change", (event) => pick("video", event));
byId("pick-microphone").addEventListener("change", (event) => pick("audio", event));
navigator.mediaDevices?.addEventListener?.("devicechange", () => { if (!byId("try").hidden) devicesChanged(); });

// -- the loudspeaker -----------------------------------------------------------------------------------

startTones(byId("play"), devices, (isPlaying) => {
  byId("heard").hidden = !isPlaying;
  say(isPlaying ? "Three tones are playing. Do you hear them?" : "The tones could not be played. Try again in a moment.");
});
byId("pick-speaker").addEventListener("change", ({ target }) => {
  devices.pick("speaker", target.value);
  // What was answered was of another one.
  found.speaker = "";
  byId("heard").hidden = true;
  for (const each of byId("heard").querySelectorAll("button")) each.setAttribute("aria-pressed", "false");
  draw();
});
for (const [id, heard] of [["heard-yes", "works"], ["heard-no", "unheard"]]) {
  byId(id).addEventListener("click", ({ currentTarget }) => {
    for (const each of byId("heard").querySelectorAll("button")) each.setAttribute("aria-pressed", String(each === currentTarget));
    found.speaker = heard;
    draw();
  });
}

// -- the line ---------------------------------------------------------------------------------------------

const post = (where, how = {}) => fetch(where, { method: "POST", body: new FormData(form), ...how });

/** Relay credentials, or null where they are not given now. They are lent for two minutes, which does
    for several tries. */
let loan = null;
async function lent() {
  if (facts.relay !== "1") return [];
  if (!loan || Date.now() - loan.at > LOAN_KEPT) loan = { at: Date.now(), ice: ask() };
  const mine = loan, ice = await mine.ice;
  if (!ice && loan === mine) loan = null;
  return ice;
}

async function ask() {
  try {
    const answer = await post(facts.relayFrom);
    return answer.ok && !answer.redirected ? (await answer.json()).ice : null;
  } catch {
    return null;
  }
}

async function tryLine() {
  const mine = ++tries;
  found.connection = way = "";
  draw();
  const ice = await lent();
  const went = ice && await loopback(devices.stream.getTracks(), ice).catch(() => "");
  if (mine !== tries) return;
  way = went ?? "";
  found.connection = ice ? (way ? "works" : "blocked") : "unknown";
  draw();
}

// -- the result ----------------------------------------------------------------------------------------------

let told = "";
function draw() {
  const result = resultOf(found, { way, ready: facts.ready });
  showNotices(Object.fromEntries(Object.entries(found).filter(([, state]) => state && state !== "works")));
  byId("way").textContent = wayWords(way, found.connection);
  const box = byId("result");
  box.dataset.state = result.state;
  box.classList.toggle("flash-wait", result.state === "trouble" || result.state === "almost");
  // Said once for each change, since the box speaks.
  if (told !== result.title + result.text) {
    told = result.title + result.text;
    byId("result-title").textContent = result.title;
    byId("result-text").textContent = result.text;
  }
  byId("result-way").hidden = byId("result-help").hidden = result.state !== "trouble";
  const on = byId("go-on");
  if (on) on.hidden = result.state === "pending";
  if (result.state !== "pending") keepSoon();
}

/** Sends what was found, a moment after the last change; the same is not sent twice. */
function keepSoon() {
  clearTimeout(keeping);
  keeping = setTimeout(keep, KEEP_AFTER);
}

let sending = Promise.resolve();
function keep(more = {}) {
  clearTimeout(keeping);
  keeping = 0;
  // What could not be tried is no trouble of theirs.
  const sent = { ...found, connection: found.connection === "unknown" ? "" : found.connection };
  const now = JSON.stringify(sent);
  if (now === kept || !Object.values(sent).some(Boolean)) return;
  kept = now;
  for (const [part, state] of Object.entries(sent)) form.elements[part].value = state;
  const body = new FormData(form);
  const send = () => post(form.action, { body, ...more }).then((answer) => answer.ok && !answer.redirected, () => false);
  // One after the other, so that the last is what stays; but whoever goes cannot wait.
  sending = (more.keepalive ? send() : sending.then(send)).then((done) => {
    if (!done && kept === now) kept = "";
    byId("kept").textContent = done ? facts.told : "The result could not be sent to the practice. It holds all the same.";
  });
}

async function again({ parts }) {
  if (!parts.includes("connection")) await devices.open();
  tryLine();
}

const start = byId("start");
start.addEventListener("click", async () => {
  byId("intro").hidden = true;
  byId("try").hidden = false;
  byId("try-title").focus({ preventScroll: true });
  draw();
  await devices.open();
  tryLine();
});
// A press before that would be lost.
start.disabled = false;
document.querySelector(".too-old").remove();
window.addEventListener("pagehide", () => {
  if (keeping) keep({ keepalive: true });
  devices.close();
});
window.addEventListener("pageshow", ({ persisted }) => { if (persisted) location.reload(); });
