// The room: one page with the device check, the waiting room and the call. Camera, microphone and
// socket are opened in the first and stay open into the last.

import { memory, startAwake, watchNetwork } from "./browser.js";
import { startCheck } from "./check.js";
import { Circle } from "./circle.js";
import { startClock } from "./clock.js";
import { startControls } from "./controls.js";
import { Devices } from "./devices.js";
import { Closing, showEnding } from "./ending.js";
import { sayLines } from "./ladder.js";
import { Outgoing } from "./outgoing.js";
import { startPickers } from "./pickers.js";
import { helpWords, startTold, write } from "./practice.js";
import { IN_CALL, Presence } from "./presence.js";
import { watchFallback, watchQuality } from "./quality.js";
import { startResume } from "./resume.js";
import { startSafety } from "./safety-panel.js";
import { Stage } from "./stage.js";
import { closePanel, startViews } from "./views.js";

const main = document.getElementById("main");
const facts = main.dataset;
const isTherapist = facts.role === "therapist", hasRelay = facts.relay === "1";
const byId = (id) => document.getElementById(id);
const alone = byId("stage-empty").firstElementChild, aloneWords = alone.dataset.alone;
const CALL_WITHIN = 500, BACK_WITHIN = 10000, LOOK_AT_SPARE = 30000;
const REMEMBERED = { video: "camera", audio: "microphone" };
const times = Object.fromEntries(["starts", "ends"].map((name) => [name, Date.parse(facts[name])]));

const [{ startActs }, { Lobby }] = isTherapist ? await Promise.all([import("./acts.js"), import("./lobby.js")]) : [{}, {}];

const closing = new Closing({ box: byId("call-closing"), closes: facts.closesWords, first: facts.first, isTherapist });

// -- what the page is made of -----------------------------------------------------------------------

const devices = new Devices((what) => {
  check.draw();
  circle.useTracks();
  if (what === "ended") resume.look(); else resume.lookSoon();
  pickers.look();
});
const views = startViews(() => {
  tick();
  check.draw();
  lookAwake();
  pickers.settle();
});
const lookAwake = startAwake(() => views.shown === "waiting" || views.shown === "call");
const check = startCheck({ devices, place: facts.place, enter });
const outgoing = new Outgoing(devices, () => { circle.useTracks(); controls.draw(); });
const nameOf = (who) => presence.nameOf(who);
const circle = new Circle({
  outgoing, own: () => presence.cid, line: () => presence.line, isJoined: () => presence.isJoined,
  askRelays: () => hasRelay && presence.line?.say({ type: "hello", cid: presence.cid }),
  changed: peerChanged, died: (peer) => stage.draw(peer, true),
  dropped(who, next) {
    alone.textContent = aloneWords;
    stage.remove(who, next);
    if (next) setTimeout(() => peers.has(next) || stage.remove(next), BACK_WITHIN);
    safety.follow();
    drawLine();
  },
  emptied: () => stage.clear(),
});
const { peers } = circle;
const stage = new Stage({
  box: byId("stage"), own: byId("self"), empty: byId("stage-empty"), template: byId("tile-template"),
  nameOf, isTherapist, hasNoWay: () => circle.hasNoWay,
  isCurrent: (peer) => peers.get(peer.cid) === peer,
  isAudioOnly: () => outgoing.audioOnly,
  connected() { if (callSoon) showCall(); },
  blocked: () => resume.offer(),
});
const pickers = startPickers({
  devices, stage,
  asked: (kind) => { if (kind === "video" && outgoing.audioOnly) controls.endAudioOnly(); },
  picked(kind) {
    // Until they go in, what the browser remembers for all sessions does.
    if (kind === "speaker" || !memory.read().entered) return;
    memory.write({ [REMEMBERED[kind]]: devices.picked[kind] });
    controls.keepMode();
  },
});
const quality = watchQuality({ peers, outgoing, changed: (peer) => { stage.drawSoon(peer); drawLine(); } });
const safety = startSafety({ peers, nameOf, say: (message) => presence.line?.sayOrKeep(message) });
const presence = new Presence({
  path: facts.socket, isTherapist, hasRelay, circle, safety,
  heard: (message) => closing.hear(message),
  ready: () => opened, waits, isIn, hasJoined: admitAsked, peopleChanged: drawPeople, isFull: () => lobby?.sayFull(), status, over,
  answered: (isAlive) => acts?.answered(isAlive),
});
const acts = isTherapist ? startActs({ box: byId("undone"), say: (message) => presence.line?.sayAndCheck(message) ?? false, people: () => presence.people }) : null;
const lobby = isTherapist ? new Lobby({
  box: byId("lobby"), template: byId("lobby-template"), declining: byId("declining"), all: byId("admit-all"), full: byId("full"),
  say: acts.act,
  shown: (ids) => presence.line?.say({ type: "shown", ids }),
}) : null;
const controls = startControls({
  devices, outgoing, stage, peers, quality, pickers, useTracks: () => circle.useTracks(),
  isInCall: () => views.shown === "call",
  openSafety: safety.open,
  leave: () => presence.leave(),
  end: () => acts.act({ type: "end" }),
});
const told = startTold({ box: byId("told"), first: facts.first });
const tick = startClock({
  times, shown: () => views.shown,
  timer: byId("timer"), startWords: byId("start-words"), waitingTitle: byId("waiting-title"),
});

const resume = startResume({
  devices, outgoing, stage, status,
  isIn: () => presence.isEntered, useTracks: () => circle.useTracks(), wake: () => presence.line?.check(),
});
watchNetwork(() => presence.move());

// -- from view to view ------------------------------------------------------------------------------

/** `isInside`: they are in the call, and have loaded the page again, or were in it until they left. Then
    there is no waiting room on the way, unless they have to wait. */
function enter({ isInside = false } = {}) {
  presence.enter();
  if (!isTherapist) told.knocks();
  views.show(isTherapist || isInside ? "call" : "waiting");
  if (isInside) alone.textContent = "Taking you back in";
  status(isTherapist && !isInside ? "Opening the room" : "");
}

let callSoon = 0;
function showCall() {
  dropCallSoon();
  if (presence.isEntered && views.shown !== "over") views.show("call");
}
function dropCallSoon() {
  clearTimeout(callSoon);
  callSoon = 0;
}

function waits(isTold) {
  dropCallSoon();
  if (isTherapist) return;
  alone.textContent = aloneWords;
  views.show("waiting");
  status("");
  told.waits(isTold);
}
setInterval(() => { if (views.shown === "waiting" && circle.hasSpare) presence.prepare(); }, LOOK_AT_SPARE);

function isIn() {
  const isSomebody = presence.people.some((person) => IN_CALL.has(person.state));
  if (!isSomebody) alone.textContent = aloneWords;
  // The door first, the furniture after: drawing the call would hold its beginning up.
  if (views.shown === "waiting" && isSomebody) callSoon ||= setTimeout(showCall, CALL_WITHIN);
  else showCall();
  drawPeople();
}

// -- what is drawn of the call ----------------------------------------------------------------------

function peerChanged(peer) {
  stage.drawSoon(peer);
  if (peers.get(peer.cid) !== peer) return;
  if (peer.isConnected) quality.fit(peer).catch(() => { /* closed meanwhile */ });
  safety.follow();
  drawLine();
}

function drawLine() {
  const words = sayLines([...peers].map(([who, peer]) => ({ name: nameOf(who), about: peer.about, line: peer.line, climb: peer.climb, isSeen: Boolean(outgoing.tracks.video) && !peer.about.audioOnly, isShown: peer.about.camera && !peer.about.screen && !outgoing.audioOnly })));
  byId("call-line").textContent = words && ` · ${words}`;
  // Nobody rings a bell into a session.
  byId("knock")?.toggleAttribute("data-quiet", [...peers.values()].some((peer) => peer.isConnected));
}

function drawPeople() {
  for (const peer of peers.values()) stage.drawSoon(peer);
  safety.draw();
  lobby?.draw(presence.people);
  acts?.look();
  admitAsked();
}

/** Admit was pressed on another page of the office: it is done as soon as the therapist is in, or
    not at all. */
function admitAsked() {
  const asked = /^#admit=([0-9a-f-]{36})$/.exec(location.hash)?.[1];
  if (!asked || !presence.isJoined) return;
  history.replaceState(null, "", location.pathname);
  const person = presence.people.find((each) => each.id === asked && each.state === "waiting");
  if (person) presence.line.say({ type: "admit", cid: person.cid });
}
byId("resume").addEventListener("click", () => byId(`${views.shown}-title`).focus({ preventScroll: true }));
// Pressed in the room's own device check, it leads to the door; after the call, to the room as it stands.
addEventListener("hashchange", () => {
  if (views.shown === "check") byId("enter").querySelector("[type=submit]").focus();
  else if (views.shown === "over" && location.hash) location.reload();
});

let said = "";

/** Says how the line is, where it can be read: the waiting room has its own place for that. */
function status(words) {
  if (words && views.shown === "waiting") return told.says(words);
  said = words;
  drawStatus();
}

/** What helps is said once, by what was agreed for when video fails wherever that shows. */
function drawStatus() {
  write(byId("call-status"), said && `${said}${byId("call-fallback").hidden ? helpWords : ""}`);
}

// -- the end, and the way back --------------------------------------------------------------------------------

/** Whether the call had begun for them when it ended. Leaving may be said more than once. */
let wasIn = false;

function over(reason, { again = true }) {
  const isOver = views.shown === "over";
  if (isOver && reason !== "left") return;
  wasIn = presence.isJoined || (isOver && wasIn);
  memory.write({ entered: false });
  presence.close();
  outgoing.stopSharing();
  safety.close();
  closePanel();
  devices.close();
  controls.draw();
  if (document.pictureInPictureElement) document.exitPictureInPicture();
  if (document.fullscreenElement) document.exitFullscreen();
  resume.look();
  showEnding(reason, {
    again, wasIn, closing, first: facts.first, isTherapist, after: facts.after,
    goBack: () => goBack({ isInside: wasIn && reason === "left" }),
  });
  views.show("over");
}

function goBack({ isInside }) {
  memory.write({ entered: true });
  opened = check.open();
  presence.renew();
  safety.begin(presence.cid);
  enter({ isInside });
}

// -- the beginning --------------------------------------------------------------------------------------------------

safety.begin(presence.cid);
let opened = check.open();
presence.openLine();
// A reload of somebody who is in goes straight back.
if (memory.read().entered) {
  enter({ isInside: facts.inside === "1" });
  opened.then(() => presence.isEntered && !presence.isJoined && presence.prepare());
} else views.begin();
opened.then(() => { tick(); pickers.look(); });
watchFallback({ peers, box: byId("call-fallback"), changed: drawStatus });
document.querySelectorAll(".too-old").forEach((each) => each.remove());
// Kept aside by the browser, the page has neither socket nor connections any more.
window.addEventListener("pageshow", ({ persisted }) => { if (persisted) location.reload(); });
