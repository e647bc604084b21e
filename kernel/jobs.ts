import { SpanKind } from "@opentelemetry/api";
import type { Jobs } from "./ports/jobs.ts";
import { inSpan } from "./telemetry.ts";
import { spanContextOf, traceparentOf } from "./traceparent.ts";

/** The member of a payload that says which trace sent the job. */
const TRACE = "traceparent";

/** The jobs port as a service gets it: a job is a trace of its own, linked to the one that sent it, which may have ended hours ago. */
export function tracedJobs(jobs: Jobs, service: string): Jobs {
  return {
    ...jobs,
    send(sql, queue, sent) {
      const traceparent = traceparentOf();
      if (traceparent === undefined) return jobs.send(sql, queue, sent);
      return jobs.send(
        sql,
        queue,
        sent.map((job) => ({ ...job, payload: { ...job.payload, [TRACE]: traceparent } })),
      );
    },
    work: (queue, options, handle) =>
      jobs.work(queue, options, (job) => {
        const sender = spanContextOf(String(job.payload[TRACE] ?? ""));
        const attributes = { "messaging.destination.name": queue, "messaging.message.attempt": job.attempt };
        const name = `${service} works on ${queue}`;
        return inSpan(name, attributes, null, () => handle(job), SpanKind.CONSUMER, sender ? [sender] : []);
      }),
  };
}
