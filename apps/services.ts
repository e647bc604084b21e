import type { Service } from "#kernel";
import ads from "../services/engagement/ads/service.ts";
import bookmark from "../services/playback/bookmark/service.ts";
import qoe from "../services/insight/qoe/service.ts";
import recording from "../services/playback/recording/service.ts";
import schedule from "../services/playback/schedule/service.ts";
import session from "../services/playback/session/service.ts";
import catalog from "../services/content/catalog/service.ts";
import encoding from "../services/content/encoding/service.ts";
import epg from "../services/content/epg/service.ts";
import ingest from "../services/content/ingest/service.ts";
import metadata from "../services/content/metadata/service.ts";
import keys from "../services/content/keys/service.ts";
import analytics from "../services/insight/analytics/service.ts";
import experiments from "../services/discovery/experiments/service.ts";
import features from "../services/discovery/features/service.ts";
import models from "../services/discovery/models/service.ts";
import notification from "../services/engagement/notification/service.ts";
import license from "../services/delivery/license/service.ts";
import live from "../services/delivery/live/service.ts";
import origin from "../services/delivery/origin/service.ts";
import routing from "../services/delivery/routing/service.ts";
import search from "../services/discovery/search/service.ts";
import token from "../services/delivery/token/service.ts";
import recommendation from "../services/discovery/recommendation/service.ts";
import auth from "../services/identity/auth/service.ts";
import entitlement from "../services/identity/entitlement/service.ts";
import profile from "../services/identity/profile/service.ts";
import subscription from "../services/identity/subscription/service.ts";
import tenant from "../services/identity/tenant/service.ts";
import user from "../services/identity/user/service.ts";

/** Every service of the product. A process runs all of them, or some. */
export const services: readonly Service[] = [
  ...[tenant, user, auth, profile, subscription, entitlement],
  ...[catalog, ingest, encoding, keys, epg, metadata],
  ...[origin, license, token, routing, live],
  ...[session, bookmark, schedule, recording],
  ...[recommendation, search],
  ...[notification, ads],
  ...[qoe, analytics],
  ...[experiments, models, features],
];
