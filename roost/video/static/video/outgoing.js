// What goes out to the others: camera and microphone, or a screen instead of the camera.

export class Outgoing {
  /** The track of a shared screen, or null. */
  screen = null;
  /** No pictures, in or out. */
  audioOnly = false;
  /** Which of "audio" and "video" the browser has stopped, so that the others are told. */
  stopped = [];
  #asked = 0;

  constructor(devices, changed) {
    this.devices = devices;
    this.changed = changed;
  }

  get stream() { return this.devices.stream; }
  get tracks() { return { audio: this.devices.tracks.audio, video: this.screen ?? this.devices.tracks.video }; }

  /** What one other person is told of it. */
  about(peer) {
    const goes = (kind, isOn) => isOn && !this.stopped.includes(kind);
    return {
      camera: goes("video", this.devices.cameraOn) || Boolean(this.screen), microphone: goes("audio", this.devices.microphoneOn),
      screen: Boolean(this.screen), audioOnly: this.audioOnly, paused: this.stopped.includes("video"), rung: peer.climb.rung,
    };
  }

  /** Lets the camera deliver 720 lines, or the usual ones. */
  useFine(isWanted) { return this.devices.useFine(isWanted); }
  get isFine() { return this.devices.isFine; }

  static get canShare() { return Boolean(navigator.mediaDevices?.getDisplayMedia); }

  /** Asks which screen or window, and shows it to the others. False if the person thought better of it. */
  async share() {
    const asked = ++this.#asked;
    let stream;
    try {
      stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 12 } }, audio: false });
    } catch {
      return false;
    }
    const [track] = stream.getVideoTracks();
    // The session has ended since, or another one was asked for.
    if (asked !== this.#asked) { track.stop(); return false; }
    this.stopSharing();
    track.contentHint = "detail";
    // The browser has a Stop of its own.
    track.addEventListener("ended", () => { if (this.screen === track) this.stopSharing(); });
    this.screen = track;
    this.changed();
    return true;
  }

  stopSharing() {
    this.#asked += 1;
    if (!this.screen) return;
    this.screen.stop();
    this.screen = null;
    this.changed();
  }
}
