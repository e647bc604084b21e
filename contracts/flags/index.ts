import type { Flag } from "../../kernel/ports/flags.ts";

/**
 * Every flag that the code asks for, besides the kill switch of each service. Names of kill switches begin with `kill`: they are off until
 * somebody turns them on, so that making one in Unleash shuts nothing yet. A flag that is gone from here can go from Unleash.
 */
export const PreviewsOff: Flag<boolean> = {
  name: "kill.web.previews",
  fallback: false,
  what: "shows no silent clips behind titles",
};

export const ChaptersOff: Flag<boolean> = {
  name: "kill.web.chapters",
  fallback: false,
  what: "shows no chapters, on pages and in the player",
};

export const NextEpisodeOff: Flag<boolean> = {
  name: "kill.web.next-episode",
  fallback: false,
  what: "offers no next episode at the end of one",
};

export const HomeLayout: Flag<{ readonly rails: readonly string[] }> = {
  name: "web.home-layout",
  fallback: { rails: ["continue", "for_you", "because", "popular", "new", "coming", "genre"] },
  what: "which kinds of rails the home page has, and their order",
};

export const SharedRecordings: Flag<boolean> = {
  name: "recording.shared",
  fallback: false,
  what: "records a programme once for all who want it; turn it on where the law asks for no copy of one's own",
};

export const AutomaticSubtitles: Flag<boolean> = {
  name: "metadata.automatic-subtitles",
  fallback: false,
  what: "shows drafts of subtitles before anybody has read them, marked as automatic",
};

export const flags: readonly Flag[] = [
  ...[PreviewsOff, ChaptersOff, NextEpisodeOff, HomeLayout, SharedRecordings],
  AutomaticSubtitles,
];
