// A call of a page with itself: two connections, by the relay where there is one.

const LASTS = 15000, EVERY = 200;

const wait = (time) => new Promise((done) => { setTimeout(done, time); });

/** By which kind of candidate a connection goes. */
async function wayOf(pc) {
  const reports = await pc.getStats();
  for (const pair of reports.values()) {
    if (pair.type !== "candidate-pair" || pair.state !== "succeeded" || !(pair.nominated || pair.selected)) continue;
    return reports.get(pair.localCandidateId)?.candidateType === "relay" ? "relay" : "direct";
  }
  return "";
}

/** Whether every kind of track that was sent has arrived. */
async function hasArrived(pc, kinds) {
  const arrived = new Set();
  for (const report of (await pc.getStats()).values()) {
    if (report.type !== "inbound-rtp") continue;
    if (report.kind === "video" && (report.framesDecoded > 2 || report.packetsReceived > 60)) arrived.add("video");
    if (report.kind === "audio" && report.packetsReceived > 10) arrived.add("audio");
  }
  return kinds.every((kind) => arrived.has(kind));
}

/**
 * Sends `tracks` to this page itself, through `ice` only where there are any. Returns the way they
 * went, "relay" or "direct", or "" if they did not arrive. Without tracks a message goes instead.
 */
export async function loopback(tracks, ice) {
  const how = { iceServers: ice, iceTransportPolicy: ice.length ? "relay" : "all", bundlePolicy: "max-bundle" };
  const [here, there] = [new RTCPeerConnection(how), new RTCPeerConnection(how)];
  // Some browsers decode only what is played.
  const screen = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
  const arriving = new MediaStream();
  try {
    let heard = false;
    const channel = here.createDataChannel("hello");
    channel.onopen = () => channel.send("hello");
    there.ondatachannel = ({ channel: other }) => { other.onmessage = () => { heard = true; }; };
    there.ontrack = ({ track }) => {
      arriving.addTrack(track);
      if (track.kind !== "video") return;
      screen.srcObject = arriving;
      screen.play().catch(() => {});
    };
    for (const track of tracks) here.addTrack(track);
    let open;
    const both = new Promise((done) => { open = done; });
    for (const [from, to] of [[here, there], [there, here]]) {
      from.onicecandidate = async ({ candidate }) => { await both; if (candidate && to.signalingState !== "closed") to.addIceCandidate(candidate).catch(() => {}); };
    }
    await here.setLocalDescription();
    await there.setRemoteDescription(here.localDescription);
    await there.setLocalDescription();
    await here.setRemoteDescription(there.localDescription);
    open();
    const kinds = [...new Set(tracks.map(({ kind }) => kind))];
    for (const end = Date.now() + LASTS; Date.now() < end; await wait(EVERY)) {
      if (heard && await hasArrived(there, kinds)) {
        const way = await wayOf(there);
        if (way) return way;
      }
    }
    return "";
  } finally {
    here.close();
    there.close();
    screen.srcObject = null;
  }
}
