// What the page says once somebody is not in the room any more, and the way back where there is one.

/** For each reason: a title, words, and what the way back is called. */
export function endingFor(reason, { first, isTherapist, until }) {
  const endings = {
    left: ["You have left the session", `The room stays open until ${until}. Come and go as you need.`, "Return to session"],
    replaced: ["You are in this session in another window", "Only one window can be in it for you.", "Use this window instead"],
    declined: [`${first} can’t let you in just now`, `${first} has seen that you are here. You can knock again until ${until}, or call the practice.`, "Knock again"],
    removed: [`${first} has closed the room for you`, "You cannot come back by yourself. If that is a mistake, call the practice."],
    ended: isTherapist
      ? ["You ended this session", `You can open the room again until ${until}.`]
      : ["Your session has ended", `If ${first} opens the room again, you can come back until ${until}.`, "Back to the waiting room"],
    cancelled: ["This session was cancelled", "Its room is closed. Nothing that was said is kept here."],
    early: ["This session was moved", "Its room opens later. The new time stands on your page."],
    late: ["The room is closed", `It was open until ${until}.`],
    "signed-out": ["You are logged out", "Log in again, and the session is where you left it.", "Log in"],
    gone: ["This room is not open to you any more", "Your page says what is booked."],
  };
  const [title, words, back = ""] = endings[reason] ?? endings.gone;
  return { title, words, back };
}
