// Redocly's recommended rules over OpenAPI documents. Arguments: files. Prints one JSON list of findings.
import { createConfig, lint } from "@redocly/openapi-core";

const config = await createConfig({ extends: ["recommended"] });
const findings = [];
for (const file of process.argv.slice(2)) {
  for (const one of await lint({ ref: file, config })) {
    findings.push({
      file,
      rule: one.ruleId,
      severity: one.severity,
      message: one.message,
      where: one.location[0]?.pointer ?? "",
    });
  }
}
console.log(JSON.stringify(findings));
