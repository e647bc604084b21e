import { ClientFlags } from "#contracts/web";
import { PreviewsOff } from "#contracts/flags";
import { audienceOf } from "./audience.ts";
import { type Route, route } from "./route.ts";

/** Flags that a client asks for itself: it hears of them without a new page. */
export const flagRoutes: readonly Route[] = [
  route({
    ...{ method: "GET", path: "/flags", operationId: "getFlags", tag: "flags", auth: "none", status: 200 },
    summary: "Feature flags for whoever asks. Clients ask when they start and every minute, and keep the last answer.",
    response: ClientFlags,
    handle: async (parts, { context, request }) => {
      const { value } = parts.flags.evaluate(PreviewsOff, audienceOf(parts, request, context));
      return { flags: { "kill.web.previews": value } };
    },
  }),
];
