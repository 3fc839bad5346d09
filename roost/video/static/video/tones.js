// Three tones, by which somebody hears whether their loudspeaker works.

const TONES = [[523.25, 0], [659.25, 0.35], [783.99, 0.7]], KEEP = 2500;

/** Plays them through `context`, which is closed afterwards, from the loudspeaker with the id
    `speaker`, or from the usual one. Rejects where the browser plays nothing. */
export async function playTones(context, speaker) {
  let end = context.destination, player = null;
  if (speaker) {
    // As in a call: what plays is led to the loudspeaker.
    end = new MediaStreamAudioDestinationNode(context);
    player = new Audio();
    player.srcObject = end.stream;
    await player.setSinkId?.(speaker).catch(() => { /* unplugged meanwhile */ });
    try { await player.play(); } catch (error) { player.srcObject = null; throw error; }
  }
  for (const [pitch, start] of TONES) {
    const at = context.currentTime + 0.05 + start;
    const tone = new OscillatorNode(context, { frequency: pitch, type: "triangle" });
    const volume = new GainNode(context, { gain: 0 });
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.3, at + 0.04);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.9);
    tone.connect(volume).connect(end);
    tone.start(at);
    tone.stop(at + 0.95);
  }
  setTimeout(() => { context.close(); if (player) player.srcObject = null; }, KEEP);
}
