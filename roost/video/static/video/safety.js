// Safety words: everybody in a call comes to the same few words, if nobody sits between them.
//
// Each page commits to a nonce, and reveals it once all others have committed to theirs. The words
// are a hash of all nonces and of the certificates that each page really talks to. Whoever sits in
// between shows each side a certificate of their own, and must commit to a nonce before knowing the
// others': one guess in 2^32 for each turn. The server carries it all and can at most spoil it.

// Fetched when a call begins: the server is there then, and may not be later.
let list = null;
const wordList = () => (list ??= import("./words.js").catch((error) => { list = null; throw error; }));

const COUNT = 4, AGAIN_AFTER = 4000, MOST_TURNS = 10000, MOST_AHEAD = 1000;

const write = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const digest = (...parts) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(parts)));
const hash = async (...parts) => write(await digest(...parts));

/** The one certificate that an SDP names, in upper case; "" if it names none, or several. */
export function fingerprintOf(sdp = "") {
  const found = new Set([...sdp.matchAll(/^a=fingerprint:(\S+) +(\S+)/gim)].map(([, how, value]) => `${how.toLowerCase()} ${value.toUpperCase()}`));
  return found.size === 1 ? [...found][0] : "";
}

/** The own certificate and those at the other ends (by cid) of all lines that have stood; none at all
    where one of them is not certain, or this end has several. */
export function certificatesOf(peers) {
  const own = new Set(), others = new Map();
  for (const [cid, peer] of peers) {
    // A line that has dropped for a moment keeps its certificates.
    if (!peer.hasMet) continue;
    own.add(peer.prints.own);
    others.set(cid, peer.prints.theirs);
  }
  return own.size === 1 && [...own, ...others.values()].every(Boolean) ? [[...own][0], others] : ["", new Map()];
}

export class Safety {
  /** The words, or null while they are not known. */
  words = null;
  /** Who revealed something else than they had committed to, by cid. It stays for the whole call. */
  broken = new Set();
  #chain = Promise.resolve(); #own = ""; #ownPrint = ""; #others = new Map(); #heard = new Map();
  #turn = 0; #round = ""; #nonce = ""; #commit = ""; #revealed = false; #timer = 0;

  /** `send` carries something to one cid; `changed` is told when the words do. */
  constructor({ own, send, changed }) {
    Object.assign(this, { send, changed });
    this.#own = own;
  }

  /** Whether there were so many turns that no more words are made. */
  get isSpent() { return this.#turn >= MOST_TURNS; }

  static get isPossible() { return Boolean(crypto.subtle); }

  #inTurn(act) {
    this.#chain = this.#chain.then(act).catch((error) => console.warn("Safety words:", error.name));
    return this.#chain;
  }

  /** Says who is in the call now: the own certificate, and for each other cid the one seen there. */
  follow(ownPrint, others) {
    return this.#inTurn(async () => {
      const text = (print, map) => JSON.stringify([print, [...map].sort()]);
      if (text(ownPrint, others) === text(this.#ownPrint, this.#others)) return;
      this.#ownPrint = ownPrint;
      this.#others = new Map(others);
      if (others.size) wordList().catch(() => { /* asked again when they are wanted */ });
      await this.#start(this.#turn + 1);
    });
  }

  /** Begins anew, with a nonce that nobody has seen. */
  async #start(turn) {
    clearTimeout(this.#timer);
    const cids = [this.#own, ...this.#others.keys()].sort();
    this.words = null;
    this.#revealed = false;
    this.#round = await hash("round", cids);
    this.#turn = Math.min(Math.max(turn, ...[...this.#heard.values()].filter(({ round }) => round === this.#round).map((each) => each.turn)), MOST_TURNS);
    this.#nonce = write(crypto.getRandomValues(new Uint8Array(32)));
    this.#commit = await this.#committed(this.#own, this.#nonce);
    this.changed();
    // Beyond so many turns the guesses would begin to count.
    if (!this.#others.size || this.#turn === MOST_TURNS) return;
    this.#say("commit", this.#commit);
    await this.#look();
  }

  #committed(cid, nonce) { return hash("commit", cid, this.#turn, this.#round, nonce); }

  #say(what, value, to = [...this.#others.keys()]) {
    for (const cid of to) this.send(cid, { turn: this.#turn, round: this.#round, [what]: value });
  }

  /** What somebody's page says, as the server brings it. */
  hear(cid, { turn, round, commit, reveal }) {
    return this.#inTurn(async () => {
      // No call comes so far between two pages; and one message would use up all turns.
      if (turn > this.#turn + MOST_AHEAD) return;
      const known = this.#heard.get(cid);
      const isSame = known?.turn === turn && known.round === round;
      if (commit && isSame) {
        if (known.commit !== commit) this.#break(cid);
        // They are still waiting for what went astray.
        else if (this.words && this.#isNow(known)) this.#say("reveal", this.#nonce, [cid]);
        return;
      }
      if (commit) {
        if (known && turn < known.turn) return;
        this.#heard.set(cid, { turn, round, commit, reveal: "" });
      } else if (reveal && isSame && this.#isNow(known)) {
        if (await this.#committed(cid, reveal) !== known.commit) return this.#break(cid);
        known.reveal = reveal;
      } else return;
      await this.#look();
    });
  }

  #isNow(heard) { return heard?.turn === this.#turn && heard.round === this.#round; }

  #break(cid) {
    this.broken.add(cid);
    this.words = null;
    this.changed();
  }

  async #look() {
    const heard = [...this.#others.keys()].map((cid) => this.#heard.get(cid));
    // Somebody has begun anew with the same people: so does this page.
    const newer = Math.max(0, ...heard.filter((each) => each?.round === this.#round).map((each) => each.turn));
    if (newer > this.#turn) return this.#start(newer);
    if (heard.every((each) => this.#isNow(each)) && !this.#revealed && heard.length) {
      this.#revealed = true;
      this.#say("reveal", this.#nonce);
    }
    if (!this.#revealed || !heard.every((each) => each.reveal)) return this.#askAgain();
    if (this.words || [...this.#others.keys()].some((cid) => this.broken.has(cid))) return;
    const all = [[this.#ownPrint, this.#nonce], ...[...this.#others].map(([cid, print]) => [print, this.#heard.get(cid).reveal])];
    const bytes = new Uint8Array(await digest("words", all.map((each) => each.join(" ")).sort()));
    let words;
    try {
      words = (await wordList()).WORDS;
    } catch {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#inTurn(() => this.#look()), AGAIN_AFTER);
      return;
    }
    this.words = [...bytes.slice(0, COUNT)].map((byte) => words[byte]);
    this.changed();
  }

  /** What was said while somebody's line was down is said again. */
  #askAgain() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#inTurn(() => {
      if (this.words || !this.#others.size) return;
      this.#say("commit", this.#commit);
      if (this.#revealed) this.#say("reveal", this.#nonce);
      this.#askAgain();
    }), AGAIN_AFTER);
  }

  close() { clearTimeout(this.#timer); this.#others.clear(); }
}
