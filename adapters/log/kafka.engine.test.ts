import { describe, test } from "node:test";
import { eventLogContract } from "./contract.ts";
import { openKafkaLog } from "./kafka.ts";

const brokers = (process.env["MARQUEE_KAFKA_BROKERS"] ?? "").split(",").filter(Boolean);

if (process.env["MARQUEE_TEST_KAFKA"] !== "1")
  describe("event log contract: Kafka", () => {
    test("needs a broker", { skip: "npm run test:engines -- kafka starts one and runs this" }, () => undefined);
  });
else eventLogContract("Kafka", () => openKafkaLog({ brokers, redelivery: { firstMs: 5, maxMs: 50 } }));
