// What has been agreed for when video fails, shown in the call once a line has not stood for a while.

const LOOK_EVERY = 2000, PATIENCE = 15000;

/** `peers` is the map of the call's peers by cid. */
export function watchFallback({ peers, box }) {
  const since = new Map();
  setInterval(() => {
    const moment = Date.now();
    for (const who of since.keys()) if (!peers.has(who)) since.delete(who);
    for (const [who, peer] of peers) {
      if (peer.isConnected) since.delete(who);
      else if (!since.has(who)) since.set(who, moment);
    }
    box.hidden = ![...since.values()].some((start) => moment - start >= PATIENCE);
  }, LOOK_EVERY);
}
