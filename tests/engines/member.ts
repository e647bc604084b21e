/** A member of the consumer's group in a process of its own, to be killed: `node member.ts FOLDER RUNTIME_URL BROKERS`. */
import { openKafkaLog } from "#adapters/log/kafka";
import { openPool } from "#kernel/sql";
import { listen, openRegistryAndEvents } from "./stage.ts";

const [folder = "", url = "", brokers = ""] = process.argv.slice(2);
const log = await openKafkaLog({ brokers: brokers.split(",") });
const [, events] = await openRegistryAndEvents(folder);
await listen({ pool: openPool({ url, connectionsMax: 4, onError: () => undefined }), events }, log);
console.log("joined");
