// Asks a server through the package prometheus-query and prints one JSON document of what came back.
// Arguments: the folder with node_modules, the server's URL.
const path = require("path");
const [folder, endpoint] = process.argv.slice(2);
const { PrometheusDriver } = require(path.join(folder, "node_modules", "prometheus-query"));

async function ask(preferPost) {
  const warnings = [];
  const driver = new PrometheusDriver({ endpoint, baseURL: "/api/v1", preferPost, warningHook: (w) => warnings.push(w) });
  const end = new Date();
  const start = new Date(end.getTime() - 60_000);
  const error = await driver.instantQuery("sum(").then(() => null, (e) => ({ type: e.errorType, error: e.error, response: e.prometheus }));
  return {
    scalar: (await driver.instantQuery("1+1")).result,
    vector: (await driver.instantQuery("jobs", end)).result,
    range: (await driver.rangeQuery("jobs", start, end, 15)).result,
    series: await driver.series("jobs", start, end),
    labelNames: await driver.labelNames("jobs"),
    labelValues: await driver.labelValues("queue", ["jobs", "nothing"], start, end),
    targets: await driver.targets(),
    targetsMetadata: await driver.targetsMetadata('{job="self"}', "kpid_build_info", 2),
    metadata: await driver.metadata("kpid_build_info"),
    rules: await driver.rules(),
    alerts: await driver.alerts(),
    alertmanagers: await driver.alertmanagers(),
    config: await driver.status(),
    flags: await driver.statusFlags(),
    runtime: await driver.statusRuntimeInfo(),
    build: await driver.statusBuildinfo(),
    tsdb: await driver.statusTSDB(),
    error,
    warnings,
  };
}

(async () => {
  console.log(JSON.stringify({ get: await ask(false), post: await ask(true) }));
})().catch((failure) => {
  console.error(failure);
  process.exit(1);
});
