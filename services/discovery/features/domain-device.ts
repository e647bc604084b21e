import { amount, count, type Kind, word } from "./domain.ts";
import {
  add,
  type Buckets,
  DAY_MS,
  HOUR_MS,
  later,
  meet,
  metSince,
  movesAt,
  ratio,
  type Recent,
  type Said,
  sumOf,
} from "./domain-windows.ts";

/** On what and when a profile watches. */
export interface DeviceUse {
  /** sessions, in the evening, at night, on week-ends, on large screens, on phones and tablets */
  readonly days: Buckets;
  /** Sessions by hour of the day, UTC. */
  readonly hours: readonly number[];
  readonly devices: Recent;
  readonly types: Recent;
  readonly network: Said;
}

const KEPT_DAYS = 28;
const DEVICES_MAX = 20;
const LARGE: readonly string[] = ["android_tv", "apple_tv", "tizen", "webos", "stb", "cast"];
const SMALL: readonly string[] = ["ios", "android"];

export const device: Kind<DeviceUse> = {
  group: {
    name: "user_device_context",
    entity: "user",
    description: "On what and when a profile watches; hours are of UTC, because events say no other",
    ttlMs: 90 * DAY_MS,
    cadenceMs: 0,
    sourceEvents: ["playback.started"],
    features: [
      word("last_device_type", "Of the device that was used last"),
      word("last_network_id", "The delivery network of the last session"),
      count("devices_28d", "Devices of the last 28 days, at most 20"),
      count("device_types_28d", "Kinds of devices of the last 28 days"),
      amount("evening_share_28d", "", "Share of sessions that began from 17 to 22 h UTC, of 28 days", null),
      amount("night_share_28d", "", "Share of sessions that began from 22 to 4 h UTC, of 28 days", null),
      amount("weekend_share_28d", "", "Share of sessions that began on a Saturday or Sunday, of 28 days", null),
      amount("usual_hour", "h", "The hour of the day, UTC, with most sessions", null),
      amount("large_screen_share_28d", "", "Share of sessions on televisions, of 28 days", null),
      amount("mobile_share_28d", "", "Share of sessions on phones and tablets, of 28 days", null),
    ],
  },
  empty: { days: [], hours: [], devices: [], types: [], network: ["", 0] },
  changesAt: ({ days }, atMs) => movesAt(days, atMs, DAY_MS, KEPT_DAYS),
  valuesOf({ days, hours, devices, types, network }, atMs) {
    const today = Math.floor(atMs / DAY_MS);
    const share = (column: number): number =>
      ratio(sumOf(days, today, KEPT_DAYS, column), sumOf(days, today, KEPT_DAYS, 0));
    const from = (today - KEPT_DAYS + 1) * DAY_MS;
    const most = Math.max(0, ...hours);
    return {
      last_device_type: types[0]?.[0] ?? "",
      last_network_id: network[0],
      devices_28d: metSince(devices, from),
      device_types_28d: metSince(types, from),
      ...{ evening_share_28d: share(1), night_share_28d: share(2), weekend_share_28d: share(3) },
      usual_hour: most === 0 ? Number.NaN : hours.indexOf(most),
      ...{ large_screen_share_28d: share(4), mobile_share_28d: share(5) },
    };
  },
};

export interface Start {
  readonly startedAtMs: number;
  readonly deviceId: string;
  readonly deviceType: string;
  readonly networkId: string;
}

export const startedOn =
  ({ startedAtMs, deviceId, deviceType, networkId }: Start) =>
  (state: DeviceUse): DeviceUse => {
    const day = Math.floor(startedAtMs / DAY_MS);
    const hour = Math.floor((startedAtMs % DAY_MS) / HOUR_MS);
    // The first of January 1970 was a Thursday.
    const isWeekend = [2, 3].includes(day % 7);
    const facts = [true, hour >= 17 && hour < 22, hour >= 22 || hour < 4, isWeekend];
    const screens = [LARGE.includes(deviceType), SMALL.includes(deviceType)];
    return {
      days: add(state.days, day, [...facts, ...screens].map(Number), KEPT_DAYS),
      hours: Array.from({ length: 24 }, (_, each) => (state.hours[each] ?? 0) + Number(each === hour)),
      devices: meet(state.devices, deviceId, startedAtMs, DEVICES_MAX),
      types: meet(state.types, deviceType, startedAtMs, DEVICES_MAX),
      network: later(state.network, [networkId, startedAtMs]),
    };
  };
