// The socket of a room. It comes back by itself, and keeps what could not be said meanwhile.

const FIRST_WAIT = 250, LONGEST_WAIT = 2000, PING_EVERY = 10000, PONG_WITHIN = 5000;
const MOST_KEPT = 200;
// Codes after which trying again is of no use: signed out, not found, not understood, refused, replaced, over.
const FINAL = new Set([4401, 4404, 4400, 4403, 4409, 4410]);

export class Line {
  #socket = null; #wait = FIRST_WAIT; #timer = 0; #ping = 0; #pong = 0; #kept = []; #closed = false; #url;

  /** `heard` gets each message, `changed` gets "up", "down", or "over" with the close code. */
  constructor(path, { heard, changed }) {
    this.heard = heard;
    this.changed = changed;
    this.#url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
    addEventListener("online", this.#again);
    this.#open();
  }

  get isUp() { return this.#socket?.readyState === WebSocket.OPEN; }

  #open() {
    const socket = this.#socket = new WebSocket(this.#url);
    socket.addEventListener("open", () => {
      this.#ping = setInterval(() => this.#askBack(socket), PING_EVERY);
      this.changed("up");
    });
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "pong") clearTimeout(this.#pong);
      else { this.#wait = FIRST_WAIT; this.heard(message); }
    });
    socket.addEventListener("close", ({ code }) => this.#gone(socket, code));
  }

  #askBack(socket) {
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send('{"type":"ping"}');
    clearTimeout(this.#pong);
    // A socket can be dead without knowing: then it is given up and opened anew.
    this.#pong = setTimeout(() => { this.#gone(socket, 4000); socket.close(); }, PONG_WITHIN);
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

  #again = () => {
    if (this.#closed || this.#socket) return;
    clearTimeout(this.#timer);
    this.#open();
  };

  /** Says something now; false if the line is down. */
  say(message) {
    if (!this.isUp) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
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
    removeEventListener("online", this.#again);
    clearTimeout(this.#timer);
    clearInterval(this.#ping);
    clearTimeout(this.#pong);
    this.#socket?.close();
    this.#socket = null;
  }
}
