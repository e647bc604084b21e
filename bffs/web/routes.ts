import { channelRoutes } from "./channels.ts";
import { flagRoutes } from "./flags.ts";
import { guideRoutes } from "./guide.ts";
import { homeRoutes } from "./home.ts";
import { notificationRoutes } from "./notifications.ts";
import { peopleRoutes } from "./people.ts";
import { playbackRoutes } from "./playback.ts";
import { recommendationRoutes } from "./recommendations.ts";
import { recordingRoutes } from "./recordings.ts";
import { reminderRoutes } from "./reminders.ts";
import type { Route } from "./route.ts";
import { searchRoutes } from "./search.ts";
import { titleRoutes } from "./titles.ts";

/** Every route of the web API, in the order of its document. */
export const webRoutes: readonly Route[] = [
  ...homeRoutes,
  ...searchRoutes,
  ...titleRoutes,
  ...recommendationRoutes,
  ...guideRoutes,
  ...channelRoutes,
  ...playbackRoutes,
  ...peopleRoutes,
  ...notificationRoutes,
  ...reminderRoutes,
  ...recordingRoutes,
  ...flagRoutes,
];
