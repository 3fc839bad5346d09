// Camera and microphone: opening, choosing and muting.

const USUAL = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 24, max: 30 } };
const FINE = { ...USUAL, width: { ideal: 1280 }, height: { ideal: 720 } };
const BLOCK = 1024;
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** What kept a device from us: "insecure", "denied", "dismissed", "system", "missing", "in-use" or "unknown". */
export function causeOf({ name, message = "" }) {
  if (["NotAllowedError", "SecurityError", "PermissionDeniedError"].includes(name)) {
    if (/by system/i.test(message)) return "system";
    return /dismissed/i.test(message) ? "dismissed" : "denied";
  }
  if (["NotFoundError", "OverconstrainedError", "DevicesNotFoundError"].includes(name)) return "missing";
  if (["NotReadableError", "AbortError", "TrackStartError"].includes(name)) return "in-use";
  return "unknown";
}

/** What was chosen last in this browser, so that a session opens what was tried. */
const choice = {
  key: "devices",
  read() { try { return JSON.parse(localStorage.getItem(this.key)) ?? {}; } catch { return {}; } },
  keep(kind, id) { try { localStorage.setItem(this.key, JSON.stringify({ ...this.read(), [kind]: id })); } catch { /* a private window */ } },
};

export class Devices {
  /** The open tracks, or null; `troubles` say why a wanted one is null. */
  tracks = { audio: null, video: null };
  troubles = {};
  wants = { audio: true, video: true };
  picked = { audio: "", video: "", speaker: "", ...choice.read() };
  muted = false;
  stream = new MediaStream();
  #context = null; #meter = null; #picture = USUAL; #lost = new Set();

  /** `changed` is told of every change, and of "ended" and "muted" where the browser has made it. */
  constructor(changed) { this.changed = changed; }

  get cameraOn() { return this.tracks.video?.readyState === "live"; }
  get microphoneOn() { return this.tracks.audio?.readyState === "live" && !this.muted; }

  /** Which of "audio" and "video" are wanted and bring nothing: a phone has stopped them, or another
      program holds them. What was never there is not meant. */
  get stopped() {
    return ["audio", "video"].filter((kind) => {
      const track = this.tracks[kind];
      return this.wants[kind] && (track ? track.readyState === "ended" || track.muted : this.#lost.has(kind));
    });
  }

  /** Gets what has stopped again, from the same device. Never rejects: `stopped` says what is missing. */
  async reopen() {
    for (const kind of this.stopped) {
      // Given back first: some phones let nobody have it twice.
      this.#set(kind, null);
      this.#lost.add(kind);
    }
    await this.open();
  }

  // Exactly, since Chromium takes its default microphone whatever is said to be ideal.
  #constraints(kind) {
    const base = kind === "video" ? this.#picture : SOUND;
    return this.picked[kind] ? { ...base, deviceId: { exact: this.picked[kind] } } : base;
  }

  /** Opens what is wanted and not open yet. Never rejects: `troubles` say what is missing. */
  async open() {
    const kinds = ["audio", "video"].filter((kind) => this.wants[kind] && this.tracks[kind]?.readyState !== "live");
    if (!kinds.length) {
      // What could not be opened was to take the place of something that goes on.
      if (Object.keys(this.troubles).length) { this.troubles = {}; this.changed(); }
      return;
    }
    if (!isSecureContext || !navigator.mediaDevices?.getUserMedia) {
      for (const kind of kinds) this.troubles[kind] = "insecure";
      return this.changed();
    }
    try {
      // Both at once: the browser asks once.
      this.#take(await navigator.mediaDevices.getUserMedia(Object.fromEntries(kinds.map((kind) => [kind, this.#constraints(kind)]))));
    } catch (error) {
      // What was chosen once is not plugged in today.
      if (error.name === "OverconstrainedError" && kinds.some((kind) => this.picked[kind])) {
        for (const kind of kinds) this.picked[kind] = "";
        return this.open();
      }
      const cause = causeOf(error);
      // Whoever has closed the browser's question is not asked twice more.
      if (kinds.length === 1 || cause === "dismissed") for (const kind of kinds.filter((each) => this.wants[each])) this.troubles[kind] = cause;
      else for (const kind of kinds) await this.#openOne(kind);
    }
    this.changed();
  }

  async #openOne(kind) {
    if (!this.wants[kind]) return;
    try {
      this.#take(await navigator.mediaDevices.getUserMedia({ [kind]: this.#constraints(kind) }));
    } catch (error) {
      if (this.wants[kind]) this.troubles[kind] = causeOf(error);
    }
  }

  #take(stream) {
    for (const track of stream.getTracks()) {
      // What is no longer wanted since the browser was asked goes off again at once.
      if (!this.wants[track.kind]) { track.stop(); continue; }
      this.#set(track.kind, track);
    }
  }

  #set(kind, track) {
    const old = this.tracks[kind];
    if (old) { this.stream.removeTrack(old); old.stop(); }
    this.tracks[kind] = track;
    this.#lost.delete(kind);
    delete this.troubles[kind];
    if (!track) return;
    if (kind === "audio") track.enabled = !this.muted;
    this.stream.addTrack(track);
    for (const [event, what] of [["ended", "ended"], ["mute", "muted"], ["unmute", "muted"]]) {
      track.addEventListener(event, () => { if (this.tracks[kind] === track) this.changed(what); });
    }
  }

  /** Chooses a camera, microphone or loudspeaker ("speaker") by its id. Where a camera or microphone
      cannot be had, the former one goes on. */
  async pick(kind, id) {
    if (kind === "speaker") { this.picked.speaker = id; choice.keep(kind, id); return; }
    const before = this.picked[kind];
    this.picked[kind] = id;
    this.wants[kind] = true;
    // Many phones let a page hold one camera at a time. A microphone goes on until there is another.
    if (kind === "video") this.#set(kind, null);
    try {
      this.#take(await navigator.mediaDevices.getUserMedia({ [kind]: this.#constraints(kind) }));
      choice.keep(kind, id);
    } catch (error) {
      this.picked[kind] = before;
      if (!this.tracks[kind]) await this.#openOne(kind);
      if (this.wants[kind]) this.troubles[kind] = causeOf(error);
    }
    this.changed();
  }

  mute(muted) {
    this.muted = muted;
    if (this.tracks.audio) this.tracks.audio.enabled = !muted;
    this.changed();
  }

  /** Turns the camera, or the microphone, off for good (its light goes out), or on again. */
  async want(kind, wanted) {
    this.wants[kind] = wanted;
    delete this.troubles[kind];
    if (!wanted) this.#set(kind, null);
    this.changed();
    if (wanted) await this.open();
  }

  /** Asks the camera for 720 lines or for the usual ones, while it goes on. What it cannot do, it does
      as well as it can. */
  async useFine(isWanted) {
    const picture = isWanted ? FINE : USUAL;
    if (this.#picture === picture) return;
    this.#picture = picture;
    await this.tracks.video?.applyConstraints(picture).catch(() => { /* it goes on as it was */ });
  }

  /** Whether the camera really delivers 720 lines, held upright or lying. */
  get isFine() {
    const { width = 0, height = 0 } = this.tracks.video?.getSettings() ?? {};
    return Math.min(width, height) >= FINE.height.ideal;
  }

  /** The cameras, microphones or loudspeakers there are; names are known once one has been allowed. */
  async list(kind) {
    const all = await navigator.mediaDevices?.enumerateDevices().catch(() => []) ?? [];
    const wanted = kind === "speaker" ? "audiooutput" : `${kind}input`;
    return all.filter((device) => device.kind === wanted && device.deviceId);
  }

  /** Calls back about ten times a second with the microphone's level, 0 to 100. */
  meter(level) {
    this.stopMeter();
    if (!this.tracks.audio || !window.AudioContext) return;
    const context = this.#context = new AudioContext();
    // More than the time between two looks, so that no short sound falls between them.
    const analyser = new AnalyserNode(context, { fftSize: 8192 });
    context.createMediaStreamSource(new MediaStream([this.tracks.audio])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      let power = 0;
      for (let at = 0; at < samples.length; at += BLOCK) {
        power = Math.max(power, samples.subarray(at, at + BLOCK).reduce((sum, value) => sum + value * value, 0) / BLOCK);
      }
      level(Math.min(100, Math.round(Math.sqrt(power) * 320)));
    }, 100);
    // Some browsers let a page listen only after a press of a button or key.
    const over = new AbortController();
    for (const event of ["pointerdown", "keydown"]) addEventListener(event, () => context.resume(), { once: true, signal: over.signal });
    this.#meter = () => { over.abort(); clearInterval(timer); context.close(); };
  }

  stopMeter() { this.#meter?.(); this.#meter = this.#context = null; }

  /** Whether the microphone cannot be listened to, though a button was pressed: so Firefox does where there is no loudspeaker. */
  get isDeaf() { return this.#context?.state === "suspended"; }

  /** Both lights go out, and stay out whatever the browser gives later. */
  close() {
    this.stopMeter();
    this.wants = { audio: false, video: false };
    this.#lost.clear();
    this.troubles = {};
    for (const kind of ["audio", "video"]) this.#set(kind, null);
  }
}
