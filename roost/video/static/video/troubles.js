// Words for what keeps a camera, a microphone, a loudspeaker or a line from working, and what to
// press in which browser. Nothing here touches a page or a device.

/** Which browser this is, on what: { name, on }. An iPad says that it is a Mac, but Macs have no touch screen. */
export function browserOf({ userAgent: agent, maxTouchPoints = 0 }) {
  const on = /iPhone|iPod/.test(agent) ? "iphone"
    : /iPad/.test(agent) || (/Macintosh/.test(agent) && maxTouchPoints > 1) ? "ipad"
    : /Android/.test(agent) ? "android"
    : /Macintosh/.test(agent) ? "mac" : /Windows/.test(agent) ? "windows" : "desktop";
  const isApple = on === "iphone" || on === "ipad";
  const isInside = /FBAN|FBAV|Instagram|GSA\/|; wv\)/.test(agent) || (isApple && !/Safari\//.test(agent));
  const name = isInside ? "inside"
    : /Firefox\/|FxiOS\//.test(agent) ? "firefox"
    : /Edg(A|iOS)?\//.test(agent) ? "edge"
    : /SamsungBrowser\//.test(agent) ? "samsung"
    : /Chrom(e|ium)\/|CriOS\//.test(agent) ? "chrome"
    : /Safari\//.test(agent) ? "safari" : "other";
  return { name, on };
}

const NAMES = { chrome: "Chrome", edge: "Edge", firefox: "Firefox", samsung: "Samsung Internet", safari: "Safari" };
const MACHINES = { iphone: "the iPhone", ipad: "the iPad", android: "the phone", mac: "the Mac", windows: "Windows", desktop: "this computer" };

/** What to press so that this browser gives the page its `things` ("Camera and Microphone"). */
function howToAllow({ name, on }, things) {
  const many = things.includes(" and ");
  const it = many ? "them" : "it";
  if (name === "inside") return "This page was opened inside another app. Open its menu, and choose to open the page in the browser.";
  if (on === "iphone" || on === "ipad") {
    return name === "safari"
      ? `Press the sign at the left of the address, then Website Settings (on newer ones behind the three dots), and set ${things} to Allow.`
      : `Open the Settings of ${MACHINES[on]}, find ${NAMES[name] ?? "this browser"} under Apps, and switch ${things} on.`;
  }
  if (on === "android") {
    return name === "firefox"
      ? `Press the lock at the left of the address, and take the block off ${things}.`
      : `Press the sign at the left of the address, then Permissions, and allow ${things}.`;
  }
  switch (name) {
    case "chrome": return `Press the sign at the left of the address, and switch ${things} on.`;
    case "edge": return `Press the lock at the left of the address, then Permissions for this site, and set ${things} to Allow.`;
    case "firefox": return `If a crossed-out sign stands at the left of the address, press it, and take the block away with its ×.`;
    case "safari": return `In the menu Safari, choose Settings for This Website, and set ${things} to Allow.`;
    default: return `Open the browser’s settings for this page, and allow ${it} there.`;
  }
}

/** Where the device itself keeps browsers from camera and microphone. */
function howToAllowAll({ name, on }, things) {
  const browser = NAMES[name] ?? "this browser";
  if (on === "mac") return `In System Settings, open Privacy & Security, then ${things}, and switch ${browser} on.`;
  if (on === "windows") return `In Windows’ Settings, open Privacy & security, then ${things}, and let desktop apps use it.`;
  return `In the settings of ${MACHINES[on]}, find ${browser}, and allow ${things}.`;
}

const STILL = {
  camera: "You can join with audio only all the same.",
  microphone: "You can join and just listen all the same.",
  both: "You can join and just listen all the same.",
};

function deviceWords(parts, cause, { browser, place, isIn }) {
  const what = parts.length > 1 ? "both" : parts[0];
  const name = what === "both" ? "camera and microphone" : what;
  const things = what === "both" ? "Camera and Microphone" : what === "camera" ? "Camera" : "Microphone";
  const it = what === "both" ? "them" : "it";
  const still = isIn ? `You can go on without ${it} all the same.` : STILL[what];
  switch (cause) {
    case "insecure": return [`No ${name} without https`, `This page was opened without https, so the browser gives it no ${name}. Open it at ${place}. ${still}`];
    case "denied": return [`The browser blocks your ${name}`, `${howToAllow(browser, things)} Then press Try again. ${still}`];
    case "dismissed": return [`Your ${name} ${what === "both" ? "are" : "is"} not allowed yet`, `The browser’s question was closed. Press Try again, and choose Allow. ${still}`];
    case "system": return [`Your device blocks the ${name}`, `${howToAllowAll(browser, things)} Then start the browser again. ${still}`];
    case "missing": return [`We can’t find a ${name}`, `Plug ${it} in, or switch ${it} on, and press Try again. ${still}`];
    case "in-use": return [`Another program is using the ${name}`, `Close other programs and windows with calls in them, and press Try again. ${still}`];
    case "silent": return ["We can’t hear your microphone", "Look for a mute switch on it, or choose another microphone. Then say a few words. You can join and just listen all the same."];
    default: return [`Your ${name} ${what === "both" ? "don’t" : "doesn’t"} start`, `Unplug ${it} and plug ${it} in again, or restart the browser, and press Try again. ${still}`];
  }
}

const OTHER = {
  "speaker missing": ["We can’t find a loudspeaker", "Plug in or switch on headphones or a loudspeaker, and load this page again. Your microphone may be fine: without a loudspeaker, this browser can’t try it."],
  "speaker unheard": ["You don’t hear us", "Turn the volume up, and see that the sound goes to the speaker or headphones that you use. Then press Play again."],
  "connection blocked": ["Nothing came back from the relay", "A firewall or a VPN may be in the way. Turn the VPN off, or use another network, such as your phone’s own. Then press Try again."],
  "connection unknown": ["The connection could not be tried", "Wait ten minutes, load the page again, and try once more. Camera and microphone are judged all the same."],
};

/**
 * One notice for each trouble, in words: { parts, title, text, again }. `troubles` says by part what its
 * cause is. What is wrong with camera and microphone alike is said once.
 */
export function noticesFor(troubles, where) {
  const { camera, microphone, ...others } = troubles;
  const groups = camera && camera === microphone ? [[["camera", "microphone"], camera]]
    : [[["camera"], camera], [["microphone"], microphone]].filter(([, cause]) => cause);
  const notices = groups.map(([parts, cause]) => {
    const [title, text] = deviceWords(parts, cause, where);
    return { parts, title, text, again: !["insecure", "silent", "system"].includes(cause) };
  });
  for (const [part, cause] of Object.entries(others)) {
    const [title, text] = OTHER[`${part} ${cause}`] ?? [];
    if (title) notices.push({ parts: [part], title, text, again: part === "connection" && cause === "blocked" });
  }
  return notices;
}
