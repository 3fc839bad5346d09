// This page's part in the room: what it says to the server, and what it makes of what it hears.

import { say } from "../core/ui.js";
import { Line } from "./line.js";
import { memory } from "./browser.js";

const SIGNED_OUT = 4401, CAMERA_WITHIN = 3000;
export const IN_CALL = new Set(["connected", "lost"]);

function newCid() {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

export class Presence {
  cid = newCid();
  /** Everybody else in the room, as the server told last. */
  people = [];
  line = null;
  /** Whether the person has gone past the device check; whether the call has begun for them. */
  isEntered = false; isJoined = false;
  /** Whether they went by themselves. */
  hasLeft = false;
  #isJoining = false; #isBack = false;
  /** Whether the server has spoken to this page as to the one of its person. */
  #wasKnown = false;
  /** Whether it has knocked, and waits for the answer to that. */
  #hasKnocked = false;

  /**
   * `path` is the socket's; `ready` promises camera and microphone, as far as there are any. The page
   * is told by `heard(message)`, `waits(isTold)`, `isIn`, `hasJoined`, `peopleChanged`, `isFull`, `status(words)`,
   * `answered(isAlive)` and `over(reason, { again })`.
   */
  constructor({ path, isTherapist, hasRelay, circle, safety, ...page }) {
    Object.assign(this, { path, isTherapist, hasRelay, circle, safety, page });
  }

  nameOf(who) { return this.people.find((person) => person.cid === who)?.name ?? ""; }
  get isLineUp() { return Boolean(this.line?.isUp); }

  // -- coming and going ----------------------------------------------------------------------

  enter() {
    this.isEntered = true;
    this.hasLeft = false;
    if (this.isLineUp) this.#knock();
    else this.openLine();
  }

  #knock() {
    this.#hasKnocked = true;
    this.line.say({ type: "ready", name: memory.read().name ?? "" });
  }

  #knockAnew() {
    this.isJoined = this.#isJoining = false;
    this.circle.dropAll();
    this.#knock();
  }

  openLine() {
    this.line ??= new Line(this.path, {
      heard: (message) => {
        // The line stays until the server has heard of it.
        if (this.hasLeft) return;
        this.page.heard(message);
        this.#listeners[message.type]?.(message);
      },
      changed: (state, code) => this.#lineChanged(state, code),
    });
  }

  #lineChanged(state, code) {
    if (state === "alive" || state === "down") this.page.answered(state === "alive");
    if (state === "up") {
      this.#isBack = this.isJoined;
      this.line.say({ type: "hello", cid: this.cid });
      // They have left while it was down.
      if (this.hasLeft) return this.leave();
      // Not after the answer, which tells a new page nothing: a reload is back sooner.
      this.#hasKnocked = false;
      if (this.isEntered && !this.#wasKnown) this.#knock();
    } else if (state === "down") {
      this.#isJoining = false;
      const meanwhile = this.isJoined ? "The call goes on meanwhile." : "There is nothing to do.";
      if (this.isEntered) this.page.status(`Your line dropped and is being mended. ${meanwhile}`);
    } else if (state === "over" && this.hasLeft) this.line = null;
    else if (state === "over") this.page.over(code === SIGNED_OUT ? "signed-out" : "gone", {});
  }

  /** The machine is in another network: the socket opens anew at once, and each way is looked for anew. */
  move() {
    for (const peer of this.circle.peers.values()) peer.move();
    this.line?.reopen();
  }

  leave() {
    this.hasLeft = true;
    this.line?.sayAndCheck({ type: "leave" });
    this.page.over("left", {});
  }

  /** Nothing is said or heard any more. */
  close() {
    this.isEntered = this.isJoined = this.#isJoining = false;
    this.circle.dropAll();
    // Who has left is heard by the server first: it ends the line, however often that has to be said.
    if (!this.hasLeft) this.#drop();
  }

  #drop() {
    this.line?.close();
    this.line = null;
  }

  /** Somebody comes again, as if they were new. */
  renew() {
    this.cid = newCid();
    this.#drop();
    this.#wasKnown = false;
    this.people = [];
    this.openLine();
  }

  // -- what the server says ------------------------------------------------------------------

  #listeners = {
    state: (message) => this.#onState(message),
    ice: (message) => this.circle.useRelays(message),
    joined: (message) => this.#onJoined(message),
    left: (message) => this.#onLeft(message),
    back: ({ cid }) => {
      this.circle.isWell(cid);
      this.circle.peers.get(cid)?.lineIsBack();
    },
    signal: (message) => this.#onSignal(message),
    ended: ({ reason, again }) => this.page.over(reason, { again }),
    full: () => this.page.isFull(),
  };

  #onState({ state, people, ice, policy, told }) {
    const { peers } = this.circle;
    this.circle.noteRelays({ ice, policy });
    this.people = people;
    if (!this.isEntered) return;
    // Another page has taken this one's place while its line was down, and keeps it.
    if (!state && this.#wasKnown) return this.page.over("replaced", {});
    this.#wasKnown = Boolean(state);
    if (state) this.#hasKnocked = false; else if (this.#hasKnocked) return;
    if (!state || state === "left") return this.#knockAnew();
    if (state === "waiting") return this.#wait(told);
    if (state === "admitted") this.isJoined = false;
    if (!this.isJoined) this.#join();
    else this.#settle();
    this.page.isIn();
    if (this.isTherapist && !this.circle.hasSpare && !peers.size && people.some((person) => person.state === "waiting")) this.circle.makeSpare();
  }

  #wait(isTold) {
    this.isJoined = this.#isJoining = false;
    this.circle.dropAll();
    this.page.waits(isTold);
    if (!this.isTherapist) this.prepare();
  }

  /** Candidates found now are sent with the offer; where there is a relay, its credentials come first. */
  prepare() { return this.circle.prepareSpare({ gather: !this.hasRelay }); }

  async #join() {
    if (this.#isJoining) return;
    this.#isJoining = true;
    // Not before the camera is ready, unless the browser's question about it is left unanswered.
    await Promise.race([this.page.ready(), new Promise((done) => setTimeout(done, CAMERA_WITHIN))]);
    const somebody = this.people.some((person) => IN_CALL.has(person.state));
    if (somebody && !this.circle.hasSpare) await this.prepare();
    const offer = somebody ? await this.circle.takeOffer() : null;
    if (this.#isJoining) this.line.say(offer ? { type: "join", offer } : { type: "join" });
  }

  async #onJoined({ cid, name, role, offer, offered }) {
    const { circle, people } = this;
    if (cid === this.cid) {
      this.isJoined = true;
      this.#isJoining = false;
      this.page.status("");
      circle.settleSpare(offered);
      for (const person of people) if (IN_CALL.has(person.state) && !circle.peers.has(person.cid)) (await circle.peerFor(person.cid)).offer();
      this.page.hasJoined();
      return;
    }
    const known = people.find((person) => person.cid === cid);
    if (known) known.state = "connected"; else people.push({ cid, name, role, state: "connected" });
    // Whoever is not in yet offers with their own joining.
    if (!this.isJoined && !offer) return this.page.peopleChanged();
    const peer = await circle.peerFor(cid);
    // What is drawn of it must not hold the answer up.
    if (offer) peer.hear({ description: offer });
    setTimeout(() => this.page.peopleChanged());
  }

  async #onSignal({ from, safety: step, ...signal }) {
    if (step) { this.safety.hear(from, step); return; }
    // Only who is in the room is listened to; the server has stamped `from`.
    (await this.circle.peerFor(from)).hear(signal);
  }

  #onLeft({ cid, reason, as }) {
    if (cid === this.cid) {
      if (reason !== "left") this.page.over(reason, {});
      return;
    }
    const person = this.people.find((each) => each.cid === cid);
    if (reason === "lost") return this.circle.watchLost(cid);
    if (person && reason === "left") say(`${person.name} has left.`);
    this.people = this.people.filter((each) => each.cid !== cid);
    if (person && as && !this.people.some((each) => each.cid === as)) this.people.push({ ...person, cid: as, state: "admitted" });
    this.circle.drop(cid, as);
  }

  #settle() {
    const { circle, people } = this;
    const here = new Set(people.map((person) => person.cid));
    for (const who of [...circle.peers.keys()]) if (!here.has(who)) circle.drop(who);
    if (!this.#isBack) return;
    this.#isBack = false;
    this.page.status("");
    this.line.flush();
    for (const peer of circle.peers.values()) peer.lineIsBack();
    // Whoever came while the line was down has offered in vain: offer to them.
    for (const person of people) {
      if (person.state === "connected" && !circle.peers.has(person.cid)) circle.peerFor(person.cid).then((peer) => peer.offer());
    }
  }
}
