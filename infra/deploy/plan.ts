/** `make plan ENV=prod`: what an environment would be, made offline. Usage: node infra/deploy/plan.ts ENVIRONMENT */
import { asCommand } from './as-command.ts';
import { planOffline, settingsText } from './offline-plan.ts';
import { planSummary } from './plan-summary.ts';
import { needTerraform } from './providers.ts';

const [environment = 'prod'] = process.argv.slice(2);
const again = 'mend what Terraform names, and plan again';

await asCommand({ name: 'make plan', again }, async () => {
  await needTerraform();
  await settingsText(environment);
  console.log(`${environment}, as if nothing of it existed; AWS was not asked\n`);
  console.log(planSummary(await planOffline(environment)));
});
