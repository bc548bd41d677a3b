// types.js - compiles TypeScript files against Microsoft's types; prints what the compiler finds.
"use strict";
const path = require("node:path");
const ts = require("typescript");

const types = path.dirname(require.resolve("@microsoft/microsoft-graph-types/package.json"));
const program = ts.createProgram(process.argv.slice(2), {
	strict: true,
	noEmit: true,
	types: [],
	lib: ["lib.es5.d.ts"],
	skipLibCheck: true,
	module: ts.ModuleKind.CommonJS,
	paths: { "@microsoft/microsoft-graph-types": [path.join(types, "microsoft-graph.d.ts")] },
});

const found = ts.getPreEmitDiagnostics(program).map((diagnostic) => ({
	file: diagnostic.file ? path.basename(diagnostic.file.fileName) : null,
	line: diagnostic.file ? diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start).line : 0,
	text: ts.flattenDiagnosticMessageText(diagnostic.messageText, " "),
}));
console.log(JSON.stringify(found));
