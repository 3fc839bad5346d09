// The pictures of a call: a tile for each other person, laid out by how many there are.

import { say } from "../core/ui.js";
import { STOPPED, why } from "./ladder.js";
import { practiceWords, write } from "./practice.js";

const DRAW_WITHIN = 25;

export class Stage {
  #tiles = new Map(); #drawing = new Map(); #refused = new Set(); #speaker = "";

  /**
   * `nameOf` names a cid; `isTherapist` says whose page it is; `isCurrent` says whether a peer is still the one for its cid; `hasNoWay`,
   * whether the practice wants a relay that is not there; `isAudioOnly`, whether pictures rest here;
   * `connected` is told of a peer whose line stands, and `blocked` when the browser plays nothing unasked.
   */
  constructor({ box, own, empty, template, ...asked }) {
    Object.assign(this, { box, own, empty, template, ...asked });
  }

  /** Draws a tile a moment later, once for several changes: what is being negotiated goes first. */
  drawSoon(peer) {
    if (this.#drawing.has(peer)) return;
    this.#drawing.set(peer, setTimeout(() => { this.#drawing.delete(peer); this.draw(peer); }, DRAW_WITHIN));
  }

  draw(peer, isDead = false) {
    if (!peer.cid || !this.isCurrent(peer)) return;
    const tile = this.#tiles.get(peer.cid) ?? this.#add(peer.cid);
    const name = this.nameOf(peer.cid), isConnected = peer.isConnected;
    const video = tile.querySelector("video");
    video.setAttribute("aria-label", peer.about.screen ? `${name}’s screen` : name ? `${name}’s video` : "Video");
    for (const [kind, player] of [["video", video], ["audio", tile.querySelector("audio")]]) {
      const stream = peer.streams[kind];
      if (player.srcObject !== stream && stream.getTracks().length) { player.srcObject = stream; this.#play(player); }
    }
    if (isConnected) this.connected(peer);
    tile.querySelector(".tile-caption").textContent = isConnected && !peer.about.microphone ? `${name}, muted` : name;
    this.#drawLight(tile, isConnected ? peer.line : null);
    const note = isDead ? `${name}’s line dropped. They can come back at any time.` : this.#noteFor(peer, name);
    const isOff = isConnected && (!peer.about.camera || peer.about.rung >= STOPPED || this.isAudioOnly());
    tile.classList.toggle("tile-off", isOff);
    tile.classList.toggle("tile-screen", isConnected && peer.about.screen && !isOff);
    this.#drawNote(tile, note);
  }

  #drawNote(tile, note) {
    const box = tile.querySelector(".tile-note");
    box.hidden = !note;
    write(box.firstElementChild, note);
  }

  // What helps where a line does not come about stands above all pictures (watchFallback).
  #noteFor(peer, name) {
    switch (peer.pc.connectionState) {
      case "connected":
        if (!peer.about.camera && peer.about.paused) return `${name}’s device has paused the camera`;
        if (!peer.about.camera) return peer.about.audioOnly ? `${name} is on audio only` : `${name}’s camera is off`;
        if (this.isAudioOnly()) return "Audio only: pictures rest";
        return peer.about.rung >= STOPPED ? `The line to ${name} is too weak for a picture just now. You still hear each other.` : "";
      case "disconnected":
      case "failed":
        return `The line to ${name} dropped. It is being mended.`;
      default:
        if (!this.hasNoWay()) return `Connecting to ${name}`;
        return `Calls here go through a relay only, and none is set up. ${this.isTherapist ? "Meet by phone this time" : `Please call ${practiceWords}`}.`;
    }
  }

  #drawLight(tile, line) {
    const light = tile.querySelector(".light");
    light.hidden = !line;
    light.classList.toggle("light-weak", line?.level === "weak");
    light.classList.toggle("light-bad", line?.level === "bad");
    const words = !line ? "" : line.level === "good" ? "Line is good. " : `Line is weak: ${why(line)}. `;
    const said = tile.querySelector(".light-words");
    if (said.textContent !== words) said.textContent = words;
    light.title = words.trim();
  }

  #add(cid) {
    const tile = this.template.content.firstElementChild.cloneNode(true);
    this.#tiles.set(cid, tile);
    if (this.#speaker) this.#lead(tile);
    this.box.insertBefore(tile, this.own);
    this.#layOut();
    return tile;
  }

  /** Takes a tile away; or lets it wait for its person, who loads the page again and comes as `next`. */
  remove(cid, next) {
    const tile = this.#tiles.get(cid);
    this.#tiles.delete(cid);
    for (const player of tile?.querySelectorAll("video, audio") ?? []) this.#refused.delete(player);
    if (tile && next && !this.#tiles.has(next)) {
      this.#tiles.set(next, tile);
      tile.querySelector("audio").srcObject = null;
      this.#drawLight(tile, null);
      this.#drawNote(tile, `${this.nameOf(next)} is coming back`);
      return;
    }
    tile?.remove();
    this.#layOut();
  }

  #layOut() {
    const count = this.#tiles.size;
    this.empty.hidden = count > 0;
    for (const each of [2, 3]) this.box.classList.toggle(`stage-${each}`, count === each);
  }

  /** Browsers may play sound only after a press: where one refuses, a button offers it. */
  async #play(player) {
    try {
      await player.play();
      this.#refused.delete(player);
    } catch (error) {
      if (error.name !== "NotAllowedError") return;
      const isFirst = !this.#refused.size;
      this.#refused.add(player);
      this.blocked();
      if (isFirst) say("The browser plays no sound yet. The button Press to hear lets it.");
    }
    const words = document.querySelector("#resume .resume-words");
    words.textContent = this.#refused.size ? "Press to hear" : "Tap to resume";
  }

  /** Nobody is waited for any more. */
  clear() { for (const cid of [...this.#tiles.keys()]) this.remove(cid); }

  playAll() {
    for (const tile of this.#tiles.values()) tile.querySelectorAll("video, audio").forEach((player) => this.#play(player));
  }

  /** Whether somebody's sound does not play, or would not. */
  get isPaused() {
    return [...this.#tiles.values()].map((tile) => tile.querySelector("audio")).some((player) => player.srcObject && player.paused);
  }

  /** Lets all sound come from one loudspeaker, by its id. */
  useSpeaker(id) {
    this.#speaker = id;
    for (const tile of this.#tiles.values()) this.#lead(tile);
  }

  #lead(tile) { tile.querySelector("audio").setSinkId?.(this.#speaker).catch(() => { /* unplugged meanwhile */ }); }

  /** The picture to keep in view beside other windows: a screen if one is shown, else the first. */
  get foremost() {
    const videos = [...this.#tiles.values()].map((tile) => tile.querySelector("video")).filter((video) => video.videoWidth);
    return videos.find((video) => video.closest(".tile-screen")) ?? videos[0] ?? null;
  }
}
