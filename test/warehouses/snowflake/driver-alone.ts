// What the vendor's driver does with a variant when nobody holds it back. Run by results.test.ts in a process of its own.
import driver from 'snowflake-sdk';

const [accessUrl = ''] = process.argv.slice(2);
driver.configure({ logLevel: 'OFF', additionalLogToConsole: false });
const connection = driver.createConnection({
  accessUrl,
  account: 'myorg-account',
  username: 'READBACK',
  password: 'correct horse',
});
await connection.connectAsync();
const statement = connection.execute({ sqlText: 'select v from t', streamResult: true });
statement.streamRows({ end: 0 }).on('data', () => {
  console.log(`pwned is ${Reflect.get(globalThis, 'pwned')}`);
  process.exit();
});
