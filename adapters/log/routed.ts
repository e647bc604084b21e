import type { EventLog, NewRecord } from "#kernel/ports/log";

/**
 * Two clusters as one log: topics that are marked for analytics live on the second one, so that long reads there slow nothing that a
 * viewer waits for. An append that has records for both is two appends.
 */
export function routeLog(main: EventLog, analytics: EventLog): EventLog {
  const onAnalytics = new Set<string>();
  const of = (topic: string): EventLog => (onAnalytics.has(topic) ? analytics : main);
  return {
    // Where one of them repeats, its records come with their ids, and those of the other without.
    dedupes: main.dedupes && analytics.dedupes,
    async createTopics(topics) {
      for (const topic of topics) {
        if (topic.analytics) onAnalytics.add(topic.name);
        else onAnalytics.delete(topic.name);
      }
      const groups = Map.groupBy(topics, (topic) => of(topic.name));
      await Promise.all([...groups].map(([log, own]) => log.createTopics(own)));
    },
    async append(records) {
      const groups = Map.groupBy(records, (record: NewRecord) => of(record.topic));
      await Promise.all([...groups].map(([log, own]) => log.append(own)));
    },
    consume: (options) => of(options.topic).consume(options),
    offsets: (topic, atMs) => of(topic).offsets(topic, atMs),
    read: (topic, positions, recordsMax) => of(topic).read(topic, positions, recordsMax),
    erases: main.erases && analytics.erases,
    erase: (topic, names, until) => of(topic).erase(topic, names, until),
    async state() {
      const [one, two] = await Promise.all([main.state(), analytics.state()]);
      return { ok: one.ok && two.ok, detail: `${one.detail}; for analytics ${two.detail}` };
    },
    async close() {
      await Promise.all([main.close(), analytics.close()]);
    },
  };
}
