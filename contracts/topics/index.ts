import type { Topics } from "../../kernel/events.ts";

const DAY_MS = 86_400_000;

/**
 * The topic catalogue of ARCH-001 section 4: partitions and retention as it says. Every event has a topic and a key here; events of one
 * key keep their order. Topics of user-centric events are keyed by the user, of content-centric ones by the content.
 */
export const topics: Topics = {
  specs: [
    { name: "playback.sessions", partitions: 32, retentionMs: 3 * DAY_MS, lingerMs: 100 },
    { name: "playback.heartbeats", partitions: 64, retentionMs: 1 * DAY_MS, lingerMs: 250 },
    { name: "user.events", partitions: 16, retentionMs: 7 * DAY_MS, lingerMs: 100 },
    { name: "catalog.changes", partitions: 8, retentionMs: 30 * DAY_MS },
    { name: "epg.updates", partitions: 8, retentionMs: 7 * DAY_MS },
    { name: "recommendations.served", partitions: 16, retentionMs: 3 * DAY_MS, analytics: true },
    { name: "search.queries", partitions: 8, retentionMs: 3 * DAY_MS, analytics: true },
    { name: "recordings.events", partitions: 16, retentionMs: 30 * DAY_MS },
    { name: "bookmarks.updates", partitions: 32, retentionMs: 7 * DAY_MS, lingerMs: 250 },
    { name: "notifications.events", partitions: 8, retentionMs: 7 * DAY_MS },
    { name: "qoe.metrics", partitions: 32, retentionMs: 3 * DAY_MS, lingerMs: 250 },
    { name: "cdn.routing.events", partitions: 16, retentionMs: 3 * DAY_MS, lingerMs: 250 },
    { name: "ad.events", partitions: 16, retentionMs: 30 * DAY_MS, analytics: true },
    { name: "ai.features.updates", partitions: 16, retentionMs: 7 * DAY_MS },
    { name: "content.ingest.events", partitions: 4, retentionMs: 30 * DAY_MS },
  ],
  routes: {
    "user.created": { topic: "user.events", key: "userId" },
    "user.updated": { topic: "user.events", key: "userId" },
    "user.deleted": { topic: "user.events", key: "userId" },
    "auth.login": { topic: "user.events", key: "userId" },
    "auth.logout": { topic: "user.events", key: "userId" },
    "auth.token.refreshed": { topic: "user.events", key: "userId" },
    "profile.created": { topic: "user.events", key: "userId" },
    "profile.updated": { topic: "user.events", key: "userId" },
    "profile.switched": { topic: "user.events", key: "userId" },
    "subscription.changed": { topic: "user.events", key: "userId" },
    "entitlement.granted": { topic: "user.events", key: "userId" },
    "entitlement.revoked": { topic: "user.events", key: "userId" },
    "entitlement.checked": { topic: "user.events", key: "userId" },
    "catalog.title.added": { topic: "catalog.changes", key: "contentId" },
    "catalog.title.updated": { topic: "catalog.changes", key: "contentId" },
    "catalog.availability.changed": { topic: "catalog.changes", key: "contentId" },
    "ingest.started": { topic: "content.ingest.events", key: "contentId" },
    "ingest.completed": { topic: "content.ingest.events", key: "contentId" },
    "ingest.failed": { topic: "content.ingest.events", key: "contentId" },
    "encoding.started": { topic: "content.ingest.events", key: "contentId" },
    "encoding.completed": { topic: "content.ingest.events", key: "contentId" },
    "encoding.failed": { topic: "content.ingest.events", key: "contentId" },
    "token.issued": { topic: "playback.sessions", key: "userId" },
    "cdn.route.selected": { topic: "cdn.routing.events", key: "sessionId" },
    "cdn.switch.triggered": { topic: "cdn.routing.events", key: "sessionId" },
    "playback.started": { topic: "playback.sessions", key: "userId" },
    "playback.stopped": { topic: "playback.sessions", key: "userId" },
    "playback.heartbeat": { topic: "playback.heartbeats", key: "userId" },
    "playback.error": { topic: "playback.sessions", key: "userId" },
    "qoe.score.calculated": { topic: "qoe.metrics", key: "userId" },
    "qoe.metric": { topic: "qoe.metrics", key: "networkId" },
    "qoe.alert.triggered": { topic: "qoe.metrics", key: "segment" },
    "bookmark.updated": { topic: "bookmarks.updates", key: "userId" },
    "bookmark.resumed": { topic: "bookmarks.updates", key: "userId" },
  },
};
