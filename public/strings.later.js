// Words of what is fetched with its first use: settings, what is done about people and messages, search.
// Left out: what the page says at first sight, which is in strings.js.

import { many, moment, numbers, say, soon } from "./strings.js";

export const words = {
  // Settings
  settings: "Settings",
  nameTitle: "Your name",
  nameHint: "What others see beside what you write.",
  save: "Save",
  saved: "Saved.",
  passwordTitle: "Password",
  oldPassword: "Password until now",
  newPassword: "New password",
  passwordDo: "Change password",
  passwordDone: (n) =>
    n > 0
      ? "Changed. You are signed out everywhere else; drafts are kept there."
      : "Changed. You were not signed in anywhere else.",
  wrongOld: "That is not your password.",
  sessionsTitle: "Where you are signed in",
  sessionsNone: "Only here.",
  sessionsMore: (n) => `Here, and in ${n === 1 ? "one other place" : `${n} other places`}.`,
  lastUsed: (agent, at) => `${agent}, last used ${soon(at)}`,
  unknownAgent: "A program",
  revokeOthers: "Sign out everywhere else",
  revokeAll: "Sign out here, too",
  revoked: (n) => (n === 1 ? "One place was signed out." : `${n} places were signed out.`),

  // What is done with a message
  deeds: "This message",
  copyLink: "Copy link",
  copyText: "Copy text",
  deletedUndo: "Deleted. It can be undone for five seconds.",
  notDeleted: "That message could not be deleted.",
  editing: (time) => `Editing your message of ${time}`,
  savesIn: (s) => `Slow down a little. Saves in ${s} s.`,
  editFailed: {
    away: "No connection. Your change is kept here; press Save again.",
    timeout: "No answer. Your change is kept here; press Save again.",
    not_found: "That message is gone.",
    other: "That did not go through. It is kept here; press Save again.",
  },
  spokenEdited: "Edited",

  // Search
  searchFor: "Words to look for",
  searchWhere: "Where to look",
  searchAll: "All rooms",
  searchFrom: "Written by",
  searchAnybody: "Anybody",
  searchFound: "Found",
  searchIn: " in ",
  searchMore: "Show older ones",
  searchCount: (n, more) => (more ? `The newest ${numbers.format(n)}` : many(n, "message", "messages")),
  searchPartial: "There is much to look through: showing the newest matches.",
  searchNone: "No message has all of these words. Try fewer.",
  searchNoneHere: "No message has all of these words. Try fewer, or look in all rooms.",
  searchNoneInTime: "Nothing found in the time there is. Try a rarer word, or only this room.",
  searchTooLong: "That is too much to look for.",

  // About somebody
  aboutNothing: "There is nothing you may do about this person.",
  isMuted: (until) => (until ? `Muted until ${soon(until)}.` : "Muted until somebody lifts it."),
  muteTitle: "Mute",
  muteText: "They read along, and cannot write until it is over.",
  muteFor: [
    ["10 minutes", 600_000],
    ["1 hour", 3_600_000],
    ["1 day", 86_400_000],
    ["For good", null],
  ],
  unmute: "Let them speak",
  roleTitle: "Role",
  roles: {
    member: ["Member", "Talks."],
    moderator: ["Moderator", "Invites, mutes and removes members."],
    admin: ["Admin", "Everything, and the page for admins."],
  },
  linkTitle: "Lost the password?",
  linkText: "Make a link that sets a new one, once. Hand it over yourself.",
  linkDo: "Make a link",
  link: "Link for a new password",
  linkUntil: (at) => `Works once, until ${moment(at)}.`,
  outTitle: "Out",
  outText: "They are cut off at once. What they wrote stays.",
  remove: "Remove",
  removeSure: (name) => `Remove ${name}?`,
  removeText: "Their account is closed and they leave every room. What they wrote stays. An admin can let them back.",
  ban: "Ban",
  banSure: (name) => `Ban ${name}?`,
  banText: "They cannot sign in until an admin lets them back. What they wrote stays.",
  done: {
    mute: "Muted.",
    unmute: "They may speak again.",
    role: "Changed.",
    remove: "Removed.",
    ban: "Banned.",
  },
  notDone: {
    slow: say.tooFast,
    muted: say.muted(),
    full: say.full,
    forbidden: "You may not do that.",
    not_found: "This person is not here any more.",
    "last-admin": "There must be an admin left.",
  },
};

/** Why an order was not carried out. */
export const whyNot = (answer) =>
  answer.code === "internal"
    ? say.fault(answer.ref)
    : (words.notDone[answer.why] ?? words.notDone[answer.code] ?? say.unreachable);
