import type { IncomingHttpHeaders } from "node:http";
import type { FastifyRequest } from "fastify";
import type { Context } from "#kernel";
import { flagContextOf } from "#kernel/flags";
import type { FlagContext } from "#kernel/ports/flags";
import type { WebParts } from "./parts.ts";
import { ipOf, marketOf } from "./request.ts";

/** How browsers name their systems, the more special ones first: an Android says Linux as well. */
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\bTizen (\d[\d.]*)/, "tizen"],
  [/\bWeb0S\b/, "webos"],
  [/\b(?:iPhone|iPad|iPod).*? OS (\d[\d_]*)/, "ios"],
  [/\bAndroid (\d[\d.]*)/, "android"],
  [/\bCrOS \S+ (\d[\d.]*)/, "chromeos"],
  [/\bWindows NT (\d[\d.]*)/, "windows"],
  [/\bMac OS X (\d[\d_.]*)/, "macos"],
  [/\bLinux\b/, "linux"],
];
const TEXT_MAX = 400;

/** A version as flags compare it, with three numbers: `17_4` is `17.4.0`. */
const versionOf = (text: string): string =>
  [...text.split(/[._]/).filter(Boolean), "0", "0"]
    .slice(0, 3)
    .map((part) => String(Number(part)))
    .join(".");

/** The system that a browser says it runs on; empty where it says nothing that we know. */
export function systemOf({
  "user-agent": agent = "",
}: IncomingHttpHeaders): Pick<FlagContext, "platform" | "osVersion"> {
  for (const [pattern, platform] of SYSTEMS) {
    const found = pattern.exec(agent.slice(0, TEXT_MAX));
    if (found) return { platform, ...(found[1] === undefined ? {} : { osVersion: versionOf(found[1]) }) };
  }
  return {};
}

/** For whom flags are asked while a request is answered. A client that is no page says its version in `x-marquee-version`. */
export function audienceOf(parts: Pick<WebParts, "geo">, request: FastifyRequest, context: Context): FlagContext {
  const version = request.headers["x-marquee-version"];
  return flagContextOf(context, {
    ...{ service: "web", deviceType: "web", ...systemOf(request.headers) },
    appVersion: typeof version === "string" && /^\d[\w.+-]{0,40}$/.test(version) ? version : undefined,
    market: marketOf(parts, request) || undefined,
    remoteAddress: ipOf(request) || undefined,
  });
}
