// The connection to one other person: perfect negotiation, and getting well again by itself. Once
// the two have agreed, only the impolite side offers, and the polite one asks it to: Chromium shows
// no picture any more where a side that has answered takes an offer of its own back (ADR 0022).

import { FIRST, START } from "./ladder.js";
import { fingerprintOf } from "./safety.js";

const RESTART_AFTER = 3000, CONNECT_WITHIN = 6000, MOST_PATIENCE = 4, REBUILD_AFTER = 2, ASKED_EVERY = 500, SETTLED_AFTER = 500;

/** What a candidate and its line in an SDP have in common: all up to its port. */
const placeOf = ({ candidate }) => candidate.split(" ").slice(0, 6).join(" ");

/** What a sender is asked for, of a picture as `pictureFor` says it. */
const encodingFor = ({ active, kbps, scale }) => ({ active, maxBitrate: kbps * 1000, scaleResolutionDownBy: scale });

/** Which RTCPeerConnection wrote an SDP: the id of its origin line is made anew for each. */
const originOf = (sdp) => /^o=\S+ (\S+)/m.exec(sdp)?.[1] ?? "";

/** Which offer an SDP is: each one that looks for the way anew has another. */
const offerOf = (sdp) => /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1] ?? "";

export class Peer {
  cid = "";
  /** Apart, since a picture that does not come would hold the sound back. */
  streams = { audio: new MediaStream(), video: new MediaStream() };
  /** What the other side says of itself: whether its camera and microphone are on. */
  about = { camera: true, microphone: true, screen: false, audioOnly: false, paused: false, rung: 0 };
  /** Whether this connection has stood, and for so long that a first picture is through; how the line does (ladder.js), or null
      while nothing is known; and what is sent over it. */
  hasMet = false; isSettled = false; line = null; climb = START; sendsPicture = true;
  #chain = Promise.resolve(); #remoteOrigin = ""; #ignoring = false; #failures = 0; #tries = 0;
  #timer = 0; #watch = 0; #unsent = []; #closed = false; #channel = null; #early = []; #sentSdp = ""; #hasMoved = false;
  #isMending = false; #mendedAt = 0; #asked = 0; #settling = 0;

  /**
   * `send` carries a description or a candidate to the other side; `ice` says by which relays, with
   * which credentials, and whether by them only, afresh when asked with true; `changed` is told of
   * every change.
   */
  constructor({ certificate, ice, outgoing, send, changed, isLineUp }) {
    Object.assign(this, { certificate, ice, outgoing, send, changed, isLineUp });
    this.#make();
  }

  #make() {
    clearTimeout(this.#timer);
    clearTimeout(this.#settling);
    this.#channel?.close();
    this.pc?.close();
    this.#remoteOrigin = "";
    this.#early = [];
    this.hasMet = this.isSettled = false;
    const pc = this.pc = new RTCPeerConnection({
      ...this.ice(), certificates: this.certificate ? [this.certificate] : undefined, bundlePolicy: "max-bundle",
    });
    pc.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate) this.#tell({ candidate: candidate.toJSON() });
    };
    pc.ontrack = ({ track }) => {
      this.#show(track);
      this.changed(this);
    };
    pc.onconnectionstatechange = () => this.#look(pc);
    pc.oniceconnectionstatechange = () => this.#look(pc);
    const channel = this.#channel = pc.createDataChannel("about", { negotiated: true, id: 0 });
    channel.onopen = () => { if (this.isSettled) this.tellAbout(); };
    channel.onmessage = ({ data }) => this.#hearAbout(data);
  }

  #show(track) {
    const stream = this.streams[track.kind];
    if (stream.getTracks().includes(track)) return;
    for (const old of stream.getTracks()) stream.removeTrack(old);
    stream.addTrack(track);
  }

  get isConnected() { return this.pc.connectionState === "connected"; }
  get polite() { return this.own < this.cid; }

  /** Names both sides, once they are known; what was made before goes out now. */
  bind(own, cid, { sent = false } = {}) {
    this.own = own;
    this.cid = cid;
    // An offer that went inside `join` took its candidates along.
    if (sent) this.#unsent = this.#unsent.filter(({ candidate }) => candidate && !this.#sentSdp.includes(placeOf(candidate)));
    for (const what of this.#unsent.splice(0)) this.send(this, what);
    this.#watchOver();
  }

  #tell(what) {
    if (this.cid) this.send(this, what);
    else this.#unsent.push(what);
  }

  // -- offers and answers, one at a time -------------------------------------------------

  #inTurn(act) {
    this.#chain = this.#chain.then(() => this.#closed || act()).catch((error) => {
      console.warn("A signal could not be taken:", error.name);
      this.#failures += 1;
    });
    return this.#chain;
  }

  /** Makes an offer before anybody is there to take it. */
  prepare({ gather }) {
    return this.#inTurn(async () => {
      this.#addSenders();
      if (!gather) { this.prepared = await this.pc.createOffer(); return; }
      await this.pc.setLocalDescription();
      this.#unsent = this.#unsent.filter(({ candidate }) => candidate);
    });
  }

  /** The prepared offer, with the candidates found so far, or null where none was prepared. */
  async takeOffer() {
    await this.#chain;
    if (!this.prepared && !this.pc.localDescription) return null;
    if (this.prepared) {
      this.useRelays();
      await this.pc.setLocalDescription(this.prepared);
    }
    const { type, sdp } = this.pc.localDescription;
    this.#sentSdp = sdp;
    return { type, sdp };
  }

  offer() {
    return this.#inTurn(async () => {
      this.#addSenders();
      await this.pc.setLocalDescription();
      this.#tellDescription();
    });
  }

  /** `of` is the offer that an answer is for: one that comes late fits no later offer. */
  #tellDescription(of) {
    const { type, sdp } = this.pc.localDescription;
    this.#tell({ description: { type, sdp, of } });
  }

  /** Says a pending offer again: it was said while a line of one of the two was down. */
  offerAgain() {
    if (this.pc.signalingState === "have-local-offer") this.#tellDescription();
  }

  hear({ description, candidate, restart }) {
    if (restart) return this.#restartAsked();
    return this.#inTurn(() => (description ? this.#hearDescription(description) : this.#hearCandidate(candidate)));
  }

  async #hearDescription(description) {
    if (description.type === "answer") {
      if (this.pc.signalingState !== "have-local-offer" || description.of !== offerOf(this.pc.localDescription.sdp)) return;
      const origin = originOf(description.sdp);
      // The other side has begun anew meanwhile: what the two had is of no use to either.
      if (this.#remoteOrigin && origin !== this.#remoteOrigin) { this.#begin(); this.offer(); return; }
      await this.pc.setRemoteDescription(description);
      this.#remoteOrigin = origin;
      return this.#drainEarly();
    }
    const collision = this.pc.signalingState !== "stable";
    this.#ignoring = collision && !this.polite;
    // Whoever is not heard may not have heard either.
    if (this.#ignoring) { this.offerAgain(); return; }
    this.#hasMoved = false;
    const origin = originOf(description.sdp);
    // The other side has begun anew, or both began at once: answer with a fresh connection.
    if (this.#remoteOrigin ? origin !== this.#remoteOrigin : collision) this.#begin();
    await this.pc.setRemoteDescription(description);
    this.#remoteOrigin = origin;
    if (!this.hasMet) this.sendPicture(FIRST).catch(() => { /* it begins as the browser likes */ });
    for (const transceiver of this.pc.getTransceivers()) {
      const { kind } = transceiver.receiver.track;
      if (transceiver.direction !== "stopped") transceiver.direction = "sendrecv";
      if (transceiver.sender.track !== this.outgoing.tracks[kind]) transceiver.sender.replaceTrack(this.outgoing.tracks[kind]);
    }
    await this.pc.setLocalDescription();
    this.#tellDescription(offerOf(description.sdp));
    await this.#drainEarly();
  }

  async #hearCandidate(candidate) {
    if (!this.pc.remoteDescription) { this.#early.push(candidate); return; }
    try {
      await this.pc.addIceCandidate(candidate);
    } catch (error) {
      if (!this.#ignoring) console.warn("A candidate could not be taken:", error.name);
    }
  }

  async #drainEarly() {
    for (const candidate of this.#early.splice(0)) await this.#hearCandidate(candidate);
  }

  #addSenders() {
    if (this.pc.getTransceivers().length) return;
    for (const kind of ["audio", "video"]) {
      const { receiver } = this.pc.addTransceiver(this.outgoing.tracks[kind] ?? kind, {
        direction: "sendrecv", streams: [this.outgoing.stream], ...(kind === "video" && { sendEncodings: [encodingFor(FIRST)] }),
      });
      // Its player is ready before anything comes.
      this.#show(receiver.track);
    }
  }

  /** The own camera or microphone has changed: no new negotiation is needed for that. */
  async useTracks() {
    for (const transceiver of this.pc.getTransceivers()) {
      const track = this.outgoing.tracks[transceiver.receiver.track.kind];
      if (transceiver.sender.track !== track) await transceiver.sender.replaceTrack(track).catch(() => {});
    }
    this.tellAbout();
  }

  tellAbout() {
    if (this.#channel.readyState !== "open") return;
    this.#channel.send(JSON.stringify(this.outgoing.about(this)));
  }

  #hearAbout(data) {
    if (typeof data !== "string" || data.length > 500) return;
    let said;
    try { said = JSON.parse(data); } catch { return; }
    const yes = (name) => said?.[name] === true;
    const rung = Number.isInteger(said?.rung) ? said.rung : 0;
    this.about = { camera: yes("camera"), microphone: yes("microphone"), screen: yes("screen"), audioOnly: yes("audioOnly"), paused: yes("paused"), rung };
    this.changed(this);
  }

  /** Sends the picture as far as the line carries it: `active`, `kbps` at most, shrunk by `scale`. */
  async sendPicture(picture) {
    this.sendsPicture = picture.active && Boolean(this.outgoing.tracks.video);
    const sender = this.pc.getTransceivers().find(({ receiver }) => receiver.track.kind === "video")?.sender;
    const wanted = sender?.getParameters();
    const [encoding] = wanted?.encodings ?? [];
    if (!encoding) return;
    const now = encodingFor(picture);
    if (Object.entries(now).every(([name, value]) => encoding[name] === value)) return;
    Object.assign(encoding, now);
    await sender.setParameters(wanted);
  }

  /** The certificates on both ends of this connection, as far as they are known and only one each. */
  get prints() {
    return { own: fingerprintOf(this.pc.localDescription?.sdp), theirs: fingerprintOf(this.pc.remoteDescription?.sdp) };
  }

  // -- getting well again ------------------------------------------------------------------

  #look(pc) {
    if (pc !== this.pc || this.#closed) return;
    clearTimeout(this.#timer);
    const state = pc.connectionState;
    if (state === "connected") {
      // Who has been in this call for long knows what the line carries.
      if (!this.hasMet) this.#settling = setTimeout(() => this.#settle(), this.climb === START ? SETTLED_AFTER : 0);
      this.hasMet = true;
      this.#failures = this.#tries = 0;
      clearTimeout(this.#watch);
    }
    if (state === "disconnected") this.#timer = setTimeout(() => this.#mend(), RESTART_AFTER + this.#later);
    if (state === "failed") this.#mend();
    this.changed(this);
  }

  /** What would hold the first picture up is said and asked for after it. */
  #settle() {
    this.isSettled = true;
    this.tellAbout();
    this.changed(this);
  }

  /** Whatever was lost on the way, a connection that does not come about is tried again; with more time
      after a few tries, since a slow machine that always begins anew gets nowhere. */
  #watchOver() {
    clearTimeout(this.#watch);
    const patience = Math.max(1, Math.min(this.#tries / 2, MOST_PATIENCE));
    this.#watch = setTimeout(() => { if (!this.isConnected) this.#mend(); }, CONNECT_WITHIN * patience + this.#later);
  }

  /** Not both at the same moment. */
  get #later() { return this.polite ? 1500 : 0; }

  /** One at a time: two offers at once would cross their answers. */
  async #mend() {
    if (!this.#isDue || this.#isMending || !this.cid) return;
    clearTimeout(this.#timer);
    // Without a line nobody would hear it: `lineIsBack` comes here again.
    if (!this.isLineUp()) return;
    this.#isMending = true;
    this.#mendedAt = Date.now();
    if (!this.isConnected) { this.#failures += 1; this.#tries += 1; }
    this.#watchOver();
    await this.ice(true);
    // It may have got well meanwhile.
    if (this.#isDue) await this.#lookAnew();
    this.#isMending = false;
    if (this.#hasMoved && !this.polite) this.#mend();
  }

  get #isDue() { return !this.#closed && (!this.isConnected || this.#hasMoved); }

  #lookAnew() {
    this.useRelays();
    const isHopeless = this.#failures > REBUILD_AFTER;
    // Until an offer comes of it, it is asked for again with each new line.
    if (this.polite && this.#remoteOrigin && !isHopeless) return this.#tell({ restart: true });
    this.#hasMoved = false;
    if (isHopeless) {
      this.#failures = 0;
      this.#inTurn(() => this.#make());
    } else this.pc.restartIce();
    return this.offer();
  }

  /** The polite side asks for an offer. One that is being made will do. */
  #restartAsked() {
    if (this.polite || this.#isMending) return;
    this.move();
    clearTimeout(this.#asked);
    this.#asked = setTimeout(() => this.#mend(), this.#mendedAt + ASKED_EVERY - Date.now());
  }

  /** Begins with a connection that has yet to come about. */
  #begin() {
    this.#make();
    this.#watchOver();
  }

  /** Takes what `ice` says now for all that is looked for from here on. */
  useRelays() {
    if (this.pc.signalingState !== "closed") this.pc.setConfiguration({ ...this.pc.getConfiguration(), ...this.ice() });
  }

  /** Begins anew: a way found before would be kept through a mere restart, whatever `ice` says. */
  rebuild() {
    this.#inTurn(() => this.#begin());
    return this.offer();
  }

  /** This end is in another network: once its line is back, the way is looked for anew, even where
      the old one seems to stand. */
  move() { this.#hasMoved = true; }

  /** The line of one of the two is a new one: what was said while it was not there is lost. */
  lineIsBack() {
    this.#tries = 0;
    if (this.#hasMoved || ["failed", "disconnected"].includes(this.pc.connectionState)) { this.#mend(); return; }
    this.offerAgain();
    if (!this.isConnected) this.#watchOver();
  }

  /** Whether anything has come from the other side within the last second. */
  async isAlive() {
    const count = async () => {
      const reports = [...(await this.pc.getStats()).values()];
      const sum = (kind) => reports.reduce((bytes, { type, bytesReceived = 0 }) => bytes + (type === kind ? bytesReceived : 0), 0);
      // Firefox counts none of a transport.
      return sum("transport") || sum("inbound-rtp");
    };
    const before = await count();
    await new Promise((done) => { setTimeout(done, 1000); });
    // Who shows and says nothing sends nothing that is counted there.
    return !this.#closed && (before ? (await count()) > before : this.isConnected);
  }

  close() {
    this.#closed = true;
    for (const timer of [this.#timer, this.#watch, this.#asked, this.#settling]) clearTimeout(timer);
    this.pc.close();
  }
}
