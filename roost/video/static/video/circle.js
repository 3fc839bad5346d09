// The connections of a call: one to each other person, one in reserve that is ready before anybody
// needs it, and the relays that they may go by.

import { Peer } from "./peer.js";

const LOST_GRACE = 6000, SPARE_AGE = 120000, FRESH_WITHIN = 2000, OFFER_WITHIN = 3000;

export class Circle {
  /** By the other's cid. */
  peers = new Map();
  relays = { iceServers: [], iceTransportPolicy: "all" };
  #spare = null; #spareAt = 0; #waiters = []; #graces = new Map(); #tell;
  #certificate = RTCPeerConnection.generateCertificate({ name: "ECDSA", namedCurve: "P-256" }).catch(() => undefined);
  // Before the server has said by which ways one may go, none is looked for.
  #ready = new Promise((done) => { this.#tell = done; }).then(() => this.#certificate);

  /**
   * `own` gives the page's cid, `line` the socket or null, `isJoined` whether the page is in the call;
   * `askRelays` asks the server for fresh credentials, and is false where that is in vain. `changed` is
   * told of a connection that does otherwise, `dropped` of a cid without one (and of the next), `emptied` once there is none, and `died` of
   * one whose socket is lost and that brings nothing.
   */
  constructor({ outgoing, ...asked }) {
    Object.assign(this, { outgoing, ...asked });
  }

  get #all() { return [...this.peers.values(), ...(this.#spare ? [this.#spare] : [])]; }
  get hasSpare() { return Boolean(this.#spare); }
  get hasNoWay() { return this.relays.iceTransportPolicy === "relay" && !this.relays.iceServers.length; }

  useTracks() { for (const peer of this.#all) peer.useTracks(); }

  // -- the relays ----------------------------------------------------------------------------

  /** New credentials for the relay, or another rule of the practice about it. */
  useRelays({ ice, policy }) {
    const isStricter = policy === "relay" && this.relays.iceTransportPolicy !== "relay";
    this.relays = { iceServers: ice, iceTransportPolicy: policy };
    // An offer that was made ready names addresses.
    if (isStricter) this.#dropSpare();
    for (const peer of this.#all) { if (isStricter) peer.rebuild(); else peer.useRelays(); }
  }

  /** The credentials of each state: the server counts on their being used from now on. */
  noteRelays({ ice, policy }) {
    if (this.relays.iceTransportPolicy !== policy) this.useRelays({ ice, policy });
    this.relays = { iceServers: ice, iceTransportPolicy: policy };
    if (ice.length) for (const peer of this.peers.values()) peer.useRelays();
    for (const waiter of this.#waiters.splice(0)) waiter(this.relays);
    this.#tell();
  }

  /** The relays and their credentials; with `fresh`, a promise of new ones. */
  #ice = (fresh = false) => {
    if (!fresh) return this.relays;
    if (!this.askRelays()) return Promise.resolve(this.relays);
    return new Promise((done) => { this.#waiters.push(done); setTimeout(done, FRESH_WITHIN, this.relays); });
  };

  // -- the one in reserve --------------------------------------------------------------------

  /** A connection that is ready before anybody needs it; with `how`, its offer is, too. */
  async makeSpare(how) {
    const certificate = await this.#ready;
    this.#spare?.close();
    this.#spareAt = Date.now();
    this.#spare = this.#make(certificate);
    // In the same breath: whoever finds it counts on the offer.
    if (how) this.#spare.prepare(how);
  }

  /** An offer made while waiting, so that nothing is left to do once the door opens. With `gather`,
      its candidates are found now. */
  async prepareSpare(how) {
    if (!this.#spare || Date.now() - this.#spareAt >= SPARE_AGE) await this.makeSpare(how);
  }

  async takeOffer() {
    const mine = this.#spare;
    // Thrown away meanwhile, it is of no use, and may never be answered.
    const late = new Promise((done) => { setTimeout(done, OFFER_WITHIN); });
    const offer = await Promise.race([mine?.takeOffer().catch(() => null), late]);
    return mine && mine === this.#spare ? offer : null;
  }

  /** The page is in, and the offer of the one in reserve has gone to `offered`, or to nobody. */
  settleSpare(offered) {
    const mine = this.#spare;
    this.#spare = null;
    if (mine && offered) this.#adopt(mine, offered, { sent: true });
    else mine?.close();
  }

  // -- one to each other person --------------------------------------------------------------

  #make(certificate) {
    const say = (peer, what) => this.line()?.sayOrKeep({ type: "signal", to: peer.cid, ...what });
    return new Peer({
      certificate, outgoing: this.outgoing, ice: this.#ice, send: say,
      isLineUp: () => Boolean(this.line()?.isUp), changed: this.changed,
    });
  }

  #adopt(peer, who, how) {
    this.peers.get(who)?.close();
    this.peers.set(who, peer);
    peer.bind(this.own(), who, how);
    this.changed(peer);
    return peer;
  }

  async peerFor(who) {
    const certificate = await this.#ready;
    if (this.peers.has(who)) return this.peers.get(who);
    const kept = this.isJoined() ? this.#spare : null;
    if (kept) this.#spare = null;
    kept?.useRelays();
    return this.#adopt(kept ?? this.#make(certificate), who);
  }

  drop(who, next) {
    this.isWell(who);
    this.#graces.delete(who);
    this.peers.get(who)?.close();
    this.peers.delete(who);
    this.dropped(who, next);
  }

  dropAll() {
    for (const who of [...this.peers.keys()]) this.drop(who);
    this.emptied();
    this.#dropSpare();
  }

  #dropSpare() {
    this.#spare?.close();
    this.#spare = null;
  }

  // -- lost sockets --------------------------------------------------------------------------

  /** A lost socket alone ends nothing: six seconds later only dead media counts. */
  watchLost(who) {
    this.isWell(who);
    this.#graces.set(who, setTimeout(async () => {
      const peer = this.peers.get(who);
      if (peer && !(await peer.isAlive())) this.died(peer);
    }, LOST_GRACE));
  }

  isWell(who) { clearTimeout(this.#graces.get(who)); }
}
