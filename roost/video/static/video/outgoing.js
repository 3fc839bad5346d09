// What goes out to the others: camera and microphone, or a screen instead of the camera.

export class Outgoing {
  /** The track of a shared screen, or null. */
  screen = null;
  /** No pictures, in or out. */
  audioOnly = false;

  constructor(devices, changed) {
    this.devices = devices;
    this.changed = changed;
  }

  get stream() { return this.devices.stream; }
  get tracks() { return { audio: this.devices.tracks.audio, video: this.screen ?? this.devices.tracks.video }; }

  /** What one other person is told of it. */
  about(peer) {
    const { cameraOn, microphoneOn } = this.devices;
    return { camera: cameraOn || Boolean(this.screen), microphone: microphoneOn, screen: Boolean(this.screen), audioOnly: this.audioOnly, rung: peer.climb.rung };
  }

  static get canShare() { return Boolean(navigator.mediaDevices?.getDisplayMedia); }

  /** Asks which screen or window, and shows it to the others. False if the person thought better of it. */
  async share() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 12 } }, audio: false });
    } catch {
      return false;
    }
    this.stopSharing();
    const [track] = stream.getVideoTracks();
    track.contentHint = "detail";
    // The browser has a Stop of its own.
    track.addEventListener("ended", () => { if (this.screen === track) this.stopSharing(); });
    this.screen = track;
    this.changed();
    return true;
  }

  stopSharing() {
    if (!this.screen) return;
    this.screen.stop();
    this.screen = null;
    this.changed();
  }
}
