// Reads {"tables": {name: schema}, "queries": {name: text}} from its input, and writes for each query what
// Microsoft's parser has against it: names that the tables do not have, and what is no query at all.
const parser = "./node_modules/@kusto/language-service-next/";
require(parser + "bridge.js");
require(parser + "Kusto.Language.Bridge.js");

const { GlobalState, KustoCode, Symbols } = Kusto.Language;
const { tables, queries } = JSON.parse(require("fs").readFileSync(0, "utf8"));

const known = Object.entries(tables).map(
  ([name, schema]) => new Symbols.TableSymbol.$ctor7(name, schema, null),
);
const workspace = new Symbols.DatabaseSymbol.ctor("workspace", known);
const globals = GlobalState.Default.WithDatabase(workspace);

function against(query) {
  const found = KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics();
  const texts = [];
  for (let index = 0; index < found.Count; index++) texts.push(found.getItem(index).Message);
  return texts;
}

const result = Object.fromEntries(
  Object.entries(queries).map(([name, query]) => [name, against(query)]),
);
process.stdout.write(JSON.stringify(result));
