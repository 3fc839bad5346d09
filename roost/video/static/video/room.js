// The room: one page with the device check, the waiting room and the call. Camera, microphone and
// socket are opened in the first and stay open into the last.

import { say } from "../core/ui.js";
import { startClock } from "./clock.js";
import { startControls } from "./controls.js";
import { Devices } from "./devices.js";
import { endingFor } from "./endings.js";
import { sayLines } from "./ladder.js";
import { Line } from "./line.js";
import { Lobby } from "./lobby.js";
import { memory } from "./memory.js";
import { Outgoing } from "./outgoing.js";
import { closePanel, drawSafety, togglePanel } from "./panels.js";
import { Peer } from "./peer.js";
import { watchQuality } from "./quality.js";
import { certificatesOf, Safety } from "./safety.js";
import { Stage } from "./stage.js";

const main = document.getElementById("main");
const facts = main.dataset;
const isTherapist = facts.role === "therapist";
const byId = (id) => document.getElementById(id);
const CALL_WITHIN = 500, LOST_GRACE = 6000, SPARE_AGE = 120000;
const IN_CALL = new Set(["connected", "lost"]);
const times = Object.fromEntries(["starts", "ends", "closes", "lasts"].map((name) => [name, Date.parse(facts[name])]));

let cid = newCid(), line = null, entered = false, joined = false, joining = false, isBack = false, hasLeft = false;
let callSoon = 0;
let people = [], relays = { iceServers: [], iceTransportPolicy: "all" }, iceWaiters = [], spare = null, spareAt = 0;
const peers = new Map(), graces = new Map();
const certificate = RTCPeerConnection.generateCertificate({ name: "ECDSA", namedCurve: "P-256" }).catch(() => undefined);

function newCid() {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

// -- the three views, and the end -----------------------------------------------------------------

const views = ["check", "waiting", "call", "over"].map((name) => [name, byId(`view-${name}`)]).filter(([, view]) => view);
let shown = "check";

function show(name) {
  if (name === shown) return;
  shown = name;
  for (const [each, view] of views) view.hidden = each !== name;
  byId("masthead").hidden = name === "waiting" || name === "call";
  scrollTo(0, 0);
  byId(`${name}-title`).focus({ preventScroll: true });
  if (name !== "check") devices.stopMeter();
  tick();
  drawDevices();
}

// -- camera and microphone ------------------------------------------------------------------------

const devices = new Devices((what) => {
  drawDevices();
  useTracks();
  if (what === "ended" && !hasLeft) byId("resume").hidden = false;
  if (shown === "check") { listDevices(); showLevel(); }
});
const outgoing = new Outgoing(devices, () => { useTracks(); controls.draw(); });
const allPeers = () => [...peers.values(), ...(spare ? [spare] : [])];
const useTracks = () => { for (const peer of allPeers()) peer.useTracks(); };

function drawDevices() {
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
  notices ??= import("./notices.js").then(({ noticeBox }) => noticeBox(byId("troubles"), { place: facts.place, again: () => devices.open() }));
  const show = await notices.catch(() => { notices = null; });
  const { video, audio } = devices.troubles;
  show?.({ camera: video, microphone: audio });
}

async function listDevices() {
  for (const [kind, id] of [["video", "pick-camera"], ["audio", "pick-microphone"]]) {
    const select = byId(id);
    const found = await devices.list(kind);
    const now = devices.tracks[kind]?.getSettings().deviceId ?? "";
    const none = new Option(kind === "video" ? "No camera" : "No microphone", "");
    select.replaceChildren(...(found.length ? found.map((each, n) => new Option(each.label || `${kind === "video" ? "Camera" : "Microphone"} ${n + 1}`, each.deviceId)) : [none]));
    if (now) select.value = now;
    select.disabled = !found.length;
  }
}

function showLevel() {
  const meter = byId("level"), words = byId("level-words");
  let heard = false;
  meter.value = 0;
  if (!devices.tracks.audio) { words.textContent = devices.troubles.audio ? "We can’t hear you just now." : "Your microphone is off."; return; }
  devices.meter((level) => {
    meter.value = level;
    meter.textContent = `${level} %`;
    if (level > 8 && !heard) { heard = true; words.textContent = "We can hear you. Say a few words and watch the bar."; }
  });
}

byId("pick-camera").addEventListener("change", ({ target }) => devices.pick("video", target.value));
byId("pick-microphone").addEventListener("change", ({ target }) => devices.pick("audio", target.value));
navigator.mediaDevices?.addEventListener?.("devicechange", () => { if (shown === "check") listDevices(); });

async function openDevices() {
  const { mode = "video", camera = devices.picked.video, microphone = devices.picked.audio, muted = false } = memory.read();
  devices.picked = { audio: microphone, video: camera };
  devices.wants = { audio: mode !== "listen", video: mode === "video" };
  devices.muted = muted;
  await devices.open();
}

// -- going in ---------------------------------------------------------------------------------------

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

function enter() {
  entered = true;
  hasLeft = false;
  if (line?.isUp) line.say({ type: "ready", name: memory.read().name ?? "" });
  else openLine();
  show(isTherapist ? "call" : "waiting");
  status(isTherapist ? "Opening the room" : "");
}

function openLine() {
  line ??= new Line(facts.socket, { heard, changed: lineChanged });
}

function lineChanged(state, code) {
  if (state === "up") {
    isBack = joined;
    line.say({ type: "hello", cid });
  } else if (state === "down") {
    joining = false;
    if (entered) status("Your line dropped and is being mended. The call goes on meanwhile.");
  } else if (!hasLeft && shown !== "over") {
    const reason = code === 4401 ? "signed-out" : "gone";
    over(reason, {});
  }
}

// -- what the server says ------------------------------------------------------------------------------

const listeners = { state: onState, ice: onIce, joined: onJoined, left: onLeft, signal: onSignal, ended: onEnded, full: () => lobby?.sayFull() };
const heard = (message) => listeners[message.type]?.(message);

/** New credentials for the relay, or another rule of the practice about it. */
function onIce({ ice, policy }) {
  const isStricter = policy === "relay" && relays.iceTransportPolicy !== "relay";
  relays = { iceServers: ice, iceTransportPolicy: policy };
  for (const peer of allPeers()) { if (isStricter) peer.rebuild(); else peer.useRelays(); }
}

function onState({ state, people: now, ice, policy }) {
  if (relays.iceTransportPolicy !== policy) onIce({ ice, policy });
  relays = { iceServers: ice, iceTransportPolicy: policy };
  for (const waiter of iceWaiters.splice(0)) waiter(relays);
  const lost = new Set(people.filter((person) => person.state === "lost").map((person) => person.cid));
  people = now;
  for (const person of now) if (person.state === "connected" && lost.has(person.cid)) peers.get(person.cid)?.lineIsBack();
  if (!entered) return;
  if (!state) { line.say({ type: "ready", name: memory.read().name ?? "" }); return; }
  if (state === "waiting") return wait();
  if (state === "admitted") joined = false;
  if (!joined) join();
  else settle();
  // The door first, the furniture after: drawing the call would hold its beginning up.
  if (shown === "waiting" && people.some((person) => IN_CALL.has(person.state))) callSoon ||= setTimeout(showCall, CALL_WITHIN);
  else showCall();
  drawPeople();
  if (isTherapist && !spare && !peers.size && people.some((person) => person.state === "waiting")) makeSpare();
}

function showCall() {
  clearTimeout(callSoon);
  callSoon = 0;
  if (entered && shown !== "over") show("call");
}

function wait() {
  clearTimeout(callSoon);
  callSoon = 0;
  joined = false;
  dropAll();
  if (isTherapist) return;
  show("waiting");
  byId("told").textContent = `${facts.first} has been told you’re here`;
  prepareSpare();
}

/** A connection that is ready before anybody needs it. */
async function makeSpare() {
  const ready = await certificate;
  spare?.close();
  spareAt = Date.now();
  spare = newPeer(ready);
}

/** An offer made while waiting, so that nothing is left to do once the door opens. */
async function prepareSpare() {
  if (spare && Date.now() - spareAt < SPARE_AGE) return;
  await makeSpare();
  // Candidates found now are sent with the offer; where there is a relay, its credentials come first.
  spare.prepare({ gather: facts.relay !== "1" });
}
setInterval(() => { if (shown === "waiting" && spare) prepareSpare(); }, SPARE_AGE / 4);

async function join() {
  if (joining) return;
  joining = true;
  // Never before the camera is ready: what it is not, it is by now.
  if (!isOpened) await opened;
  const somebody = people.some((person) => IN_CALL.has(person.state));
  if (somebody && !spare) await prepareSpare();
  const offer = spare && somebody ? await spare.takeOffer() : null;
  if (joining) line.say(offer ? { type: "join", offer } : { type: "join" });
}

async function onJoined({ cid: who, name, role, offer, offered }) {
  if (who === cid) {
    joined = true;
    joining = false;
    status("");
    const mine = spare;
    spare = null;
    if (mine && offered) adopt(mine, offered, { sent: true });
    else mine?.close();
    for (const person of people) if (IN_CALL.has(person.state) && !peers.has(person.cid)) (await peerFor(person.cid)).offer();
    admitAsked();
    return;
  }
  if (!people.some((person) => person.cid === who)) people.push({ cid: who, name, role, state: "connected" });
  const peer = await peerFor(who);
  if (offer) peer.hear({ description: offer });
  drawPeople();
}

async function onSignal({ from, description, candidate, safety: step }) {
  if (step) { safety.hear(from, step); return; }
  // Only who is in the room is listened to; the server has stamped `from`.
  (await peerFor(from)).hear({ description, candidate });
}

function onLeft({ cid: who, reason }) {
  if (who === cid) {
    if (reason !== "left") over(reason, {});
    return;
  }
  const person = people.find((each) => each.cid === who);
  if (reason === "lost") return watchLost(who);
  if (person && reason === "left") say(`${person.name} has left.`);
  people = people.filter((each) => each.cid !== who);
  drop(who);
}

/** A lost socket alone ends nothing: six seconds later only dead media counts. */
function watchLost(who) {
  clearTimeout(graces.get(who));
  graces.set(who, setTimeout(async () => {
    const peer = peers.get(who);
    if (peer && !(await peer.isAlive())) stage.draw(peer, true);
  }, LOST_GRACE));
}

function settle() {
  const here = new Set(people.map((person) => person.cid));
  for (const who of [...peers.keys()]) if (!here.has(who)) drop(who);
  if (!isBack) return;
  isBack = false;
  status("");
  line.flush();
  for (const peer of peers.values()) peer.lineIsBack();
  // Whoever came while the line was down has offered in vain: offer to them.
  for (const person of people) {
    if (person.state === "connected" && !peers.has(person.cid)) peerFor(person.cid).then((peer) => peer.offer());
  }
}

function onEnded({ reason, again }) { over(reason, { again }); }

// -- peers and their tiles -------------------------------------------------------------------------------

const stage = new Stage({
  box: byId("stage"), own: byId("self"), empty: byId("stage-empty"), template: byId("tile-template"),
  nameOf, hasNoWay: () => relays.iceTransportPolicy === "relay" && !relays.iceServers.length,
  isCurrent: (peer) => peers.get(peer.cid) === peer,
  isAudioOnly: () => outgoing.audioOnly,
  connected(peer) { clearTimeout(graces.get(peer.cid)); if (callSoon) showCall(); },
  blocked: () => { byId("resume").hidden = false; },
});
const quality = watchQuality({ peers, outgoing, changed: (peer) => { stage.drawSoon(peer); drawLine(); } });
let safety = newSafety();

function nameOf(who) { return people.find((person) => person.cid === who)?.name ?? ""; }

function newSafety() {
  return new Safety({
    own: cid, changed: drawWords,
    send: (who, step) => line?.sayOrKeep({ type: "signal", to: who, safety: step }),
  });
}

function onPeerChanged(peer) {
  stage.drawSoon(peer);
  if (peers.get(peer.cid) !== peer) return;
  if (peer.isConnected) quality.fit(peer).catch(() => { /* closed meanwhile */ });
  followSafety();
  drawLine();
}

/** The safety words are of all lines that have stood. */
function followSafety() {
  if (Safety.isPossible) safety.follow(...certificatesOf(peers));
}

function drawWords() {
  drawSafety({ words: safety.words, broken: safety.broken, isPossible: Safety.isPossible, others: [...peers.keys()].map(nameOf), nameOf });
  byId("safety-button").classList.toggle("control-alarm", safety.broken.size > 0);
  if (safety.broken.size && byId("panel-safety").hidden) togglePanel("panel-safety");
}

function drawLine() {
  const words = sayLines([...peers].map(([who, peer]) => ({ name: nameOf(who), about: peer.about, line: peer.line, climb: peer.climb })));
  byId("call-line").textContent = words && ` · ${words}`;
}

function newPeer(ready) {
  return new Peer({
    certificate: ready, outgoing, ice,
    isLineUp: () => Boolean(line?.isUp),
    send: (peer, what) => line?.sayOrKeep({ type: "signal", to: peer.cid, ...what }),
    changed: onPeerChanged,
  });
}

/** The relays and their credentials; with `fresh`, a promise of new ones. */
function ice(fresh = false) {
  if (!fresh) return relays;
  if (facts.relay !== "1" || !line?.say({ type: "hello", cid })) return Promise.resolve(relays);
  return new Promise((done) => { iceWaiters.push(done); setTimeout(done, 2000, relays); });
}

function adopt(peer, who, how) {
  peers.set(who, peer);
  peer.bind(cid, who, how);
  onPeerChanged(peer);
  return peer;
}

async function peerFor(who) {
  const ready = await certificate;
  if (peers.has(who)) return peers.get(who);
  const kept = joined ? spare : null;
  if (kept) spare = null;
  kept?.useRelays();
  return adopt(kept ?? newPeer(ready), who);
}

function drop(who) {
  clearTimeout(graces.get(who));
  graces.delete(who);
  peers.get(who)?.close();
  peers.delete(who);
  stage.remove(who);
  followSafety();
  drawLine();
}

function dropAll() {
  for (const who of [...peers.keys()]) drop(who);
  spare?.close();
  spare = null;
}

byId("resume").addEventListener("click", async () => {
  byId("resume").hidden = true;
  stage.playAll();
  await devices.open();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden || shown !== "call") return;
  const stopped = ["audio", "video"].some((kind) => devices.wants[kind] && devices.tracks[kind] && (devices.tracks[kind].readyState === "ended" || devices.tracks[kind].muted));
  byId("resume").hidden = !(stopped || stage.isPaused);
});

// -- who is here: the therapist's list -----------------------------------------------------------------------

const lobby = isTherapist ? new Lobby({
  box: byId("lobby"), template: byId("lobby-template"), declining: byId("declining"), all: byId("admit-all"), full: byId("full"),
  say: (message) => line?.say(message),
}) : null;

function drawPeople() {
  for (const peer of peers.values()) stage.drawSoon(peer);
  drawWords();
  lobby?.draw(people);
  if (lobby) admitAsked();
}

/** Admit was pressed on another page of the office: it is done as soon as the therapist is in. */
function admitAsked() {
  const asked = /^#admit=([0-9a-f-]{36})$/.exec(location.hash)?.[1];
  const person = asked && joined && people.find((each) => each.id === asked && each.state === "waiting");
  if (!person) return;
  history.replaceState(null, "", location.pathname);
  line.say({ type: "admit", cid: person.cid });
}

// -- controls -----------------------------------------------------------------------------------------------

const controls = startControls({
  devices, outgoing, stage, peers, quality, useTracks,
  isInCall: () => shown === "call",
  openSafety() { togglePanel("panel-safety", followSafety); drawWords(); },
  leave() { hasLeft = true; line?.say({ type: "leave" }); over("left", {}); },
  end: () => line?.say({ type: "end" }),
});

function status(words) {
  const box = byId("call-status");
  if (box.textContent !== words) box.textContent = words;
}

// -- the end, and the way back --------------------------------------------------------------------------------

function over(reason, { again = true }) {
  if (shown === "over" && reason !== "left") return;
  const { title, words, back: button } = endingFor(reason, { first: facts.first, isTherapist, until: facts.closesWords });
  entered = joined = joining = false;
  memory.write({ entered: false });
  dropAll();
  line?.close();
  line = null;
  outgoing.stopSharing();
  outgoing.audioOnly = false;
  safety.close();
  closePanel();
  devices.close();
  controls.draw();
  if (document.pictureInPictureElement) document.exitPictureInPicture();
  if (document.fullscreenElement) document.exitFullscreen();
  byId("resume").hidden = true;
  byId("over-title").textContent = title;
  byId("over-words").textContent = words;
  const open = Date.now() < times.closes && again;
  const reopen = byId("over-reopen");
  if (reopen) reopen.hidden = reason !== "ended" || !open;
  const back = byId("over-again");
  back.textContent = button;
  back.hidden = !button || (!open && reason !== "signed-out") || (reason === "ended" && isTherapist);
  back.onclick = () => (reason === "signed-out" ? location.reload() : goBack());
  show("over");
}

function goBack() {
  cid = newCid();
  people = [];
  safety = newSafety();
  memory.write({ entered: true });
  opened = openDevices();
  openLine();
  enter();
}

// -- the clock ----------------------------------------------------------------------------------------------------

const tick = startClock({
  times, shown: () => shown, isInCall: () => joined && Boolean(line?.isUp), warn: status,
  timer: byId("timer"), startWords: byId("start-words"), waitingTitle: byId("waiting-title"),
});

// -- the beginning --------------------------------------------------------------------------------------------------

const remembered = memory.read();
if (remembered.name) byId("name").value = remembered.name;
let isOpened = false;
let opened = openDevices().then(() => { isOpened = true; });
openLine();
// Pressed before now, they would load the page again.
for (const button of byId("enter").querySelectorAll("[type=submit]")) button.disabled = false;
// A reload of somebody who is in goes straight back.
if (remembered.entered) enter();
opened.then(() => { tick(); if (shown === "check") { listDevices(); showLevel(); } });
window.addEventListener("pageshow", ({ persisted }) => { if (persisted) location.reload(); });
