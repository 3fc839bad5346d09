// The socket of a room. It comes back by itself, and keeps what could not be said meanwhile.

const FIRST_WAIT = 250, LONGEST_WAIT = 2000, PING_EVERY = 10000, PONG_WITHIN = 5000, ALIVE_WITHIN = 1500, OPEN_WITHIN = 8000;
const MOST_KEPT = 200, GIVEN_UP = 4000, CHECK_AFTER = 500;
// Codes after which trying again is of no use: signed out, not found, not understood, refused, replaced, over.
const FINAL = new Set([4401, 4404, 4400, 4403, 4409, 4410]);

export class Line {
  #socket = null; #wait = FIRST_WAIT; #timer = 0; #ping = 0; #pong = 0; #kept = []; #closed = false; #url;
  // Pings without an answer, and when the line is given up for it.
  #asked = 0; #due = Infinity;

  /** `heard` gets each message, `changed` gets "up", "alive" once all pings are answered, "down", or "over" with
      the close code. */
  constructor(path, { heard, changed }) {
    this.heard = heard;
    this.changed = changed;
    this.#url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
    this.#open();
  }

  get isUp() { return this.#socket?.readyState === WebSocket.OPEN; }

  #open() {
    const socket = this.#socket = new WebSocket(this.#url);
    // Where a network drops everything, the browser itself tries for minutes.
    this.#pong = setTimeout(() => this.#giveUp(socket), OPEN_WITHIN);
    socket.addEventListener("open", () => {
      clearTimeout(this.#pong);
      this.#asked = 0;
      this.#due = Infinity;
      this.#ping = setInterval(() => this.#askBack(socket), PING_EVERY);
      this.changed("up");
    });
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "pong") this.#answered(socket);
      else { this.#wait = FIRST_WAIT; this.heard(message); }
    });
    socket.addEventListener("close", ({ code }) => this.#gone(socket, code));
  }

  #askBack(socket, within = PONG_WITHIN) {
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send('{"type":"ping"}');
    this.#asked += 1;
    this.#giveUpIn(socket, within);
  }

  /** A socket can be dead without knowing: then it is given up and opened anew. The next question puts
      nothing off. */
  #giveUpIn(socket, within) {
    const due = performance.now() + within;
    if (due >= this.#due) return;
    this.#due = due;
    clearTimeout(this.#pong);
    this.#pong = setTimeout(() => this.#giveUp(socket), within);
  }

  #answered(socket) {
    clearTimeout(this.#pong);
    this.#due = Infinity;
    this.#asked = Math.max(this.#asked - 1, 0);
    if (this.#asked) this.#giveUpIn(socket, PONG_WITHIN);
    else this.changed("alive");
  }

  #giveUp(socket) {
    this.#gone(socket, GIVEN_UP);
    socket.close();
  }

  #gone(socket, code) {
    if (socket !== this.#socket) return;
    clearInterval(this.#ping);
    clearTimeout(this.#pong);
    this.#socket = null;
    if (this.#closed) return;
    if (FINAL.has(code)) { this.close(); this.changed("over", code); return; }
    this.changed("down", code);
    this.#timer = setTimeout(() => this.#open(), this.#wait * (0.7 + 0.6 * Math.random()));
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
  }

  #again() {
    if (this.#closed || this.#socket) return;
    clearTimeout(this.#timer);
    this.#open();
  }

  /** Looks at once whether the socket lives; one that waits to try again does so now. */
  check() {
    if (this.#socket) this.#askBack(this.#socket, ALIVE_WITHIN);
    else this.#again();
  }

  /** Opens a new socket at once: the old one hangs on a network that is gone. */
  reopen() {
    this.#wait = FIRST_WAIT;
    if (this.#socket) this.#giveUp(this.#socket);
    this.#again();
  }

  /** Says something now; false if the line is down. */
  say(message) {
    if (!this.isUp) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Says something now, and looks soon whether it has arrived: what answers a ping has read all that
      was said before. False if the line is down. */
  sayAndCheck(message) {
    const isSaid = this.say(message);
    // Not in the way of what it brings about.
    if (isSaid) setTimeout(() => { if (this.#socket) this.#askBack(this.#socket); }, CHECK_AFTER);
    return isSaid;
  }

  /** Says something now, or once `flush` is called with the line up again. */
  sayOrKeep(message) {
    if (!this.say(message) && this.#kept.length < MOST_KEPT) this.#kept.push(message);
  }

  flush() {
    for (const message of this.#kept.splice(0)) this.sayOrKeep(message);
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#ping);
    clearTimeout(this.#pong);
    this.#socket?.close();
    this.#socket = null;
  }
}
