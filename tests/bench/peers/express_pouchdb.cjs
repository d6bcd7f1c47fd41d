// express-pouchdb as its README starts it: node express_pouchdb.cjs PORT FOLDER
const express = require("express");
const PouchDB = require("pouchdb");
const expressPouchDB = require("express-pouchdb");

const [port, folder] = process.argv.slice(2);
const app = express();
const Stored = PouchDB.defaults({ prefix: folder });
app.use("/", expressPouchDB(Stored, { mode: "minimumForPouchDB", logPath: `${folder}log.txt`, configPath: `${folder}config.json` }));
app.listen(Number(port), "127.0.0.1");
