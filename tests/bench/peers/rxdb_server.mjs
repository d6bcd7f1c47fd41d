// rxdb-server over in-memory storage: node rxdb_server.mjs PORT
import express from "express";
import { createRxDatabase } from "rxdb/plugins/core";
import { getRxStorageMemory } from "rxdb/plugins/storage-memory";
import { createRxServer } from "rxdb-server/plugins/server";
import { RxServerAdapterExpress } from "rxdb-server/plugins/adapter-express";

const text = { type: "string" };
const number = { type: "number" };
const schema = {
  version: 0,
  primaryKey: "id",
  type: "object",
  properties: {
    id: { type: "string", maxLength: 36 },
    kind: text, wall_ms: number, boot: text, monotonic_ms: number, area: text,
    household: text, disposition: text, note: text, campaign: number,
  },
};
const database = await createRxDatabase({ name: "office", storage: getRxStorageMemory(), multiInstance: false });
await database.addCollections({ visits: { schema } });
const adapter = {
  ...RxServerAdapterExpress,
  // Its own limit of 100 KiB is less than 500 records.
  async create() {
    const app = express();
    app.use(express.json({ limit: "8mb" }));
    return app;
  },
};
const server = await createRxServer({
  database, adapter, hostname: "127.0.0.1", port: Number(process.argv[2]),
  authHandler: async () => ({ data: {}, validUntil: Date.now() + 3600_000 }),
});
server.addReplicationEndpoint({ name: "visits", collection: database.visits });
await server.start();
