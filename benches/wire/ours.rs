//! Reads ten registers for so many seconds as `holder run` does, and prints how often in a
//! second: one control period's reading of a unit with one device and one block, from the
//! question on the wire to ten temperatures with their quality and age.
//!
//! ```text
//! cargo bench -p holder-hal --features wire --bench wire -- URL SECONDS
//! ```

#![expect(clippy::expect_used, reason = "a bench that cannot begin has nothing to measure")]
#![expect(clippy::disallowed_methods, reason = "a bench measures the wall clock")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use holder_hal::wire::{BusSpec, DeviceSpec, Profile, RoleSpec, UnitSpec, WiredUnit};
use holder_hal::{Machine as _, PERIOD_MS_MAX, Quality, Role};

/// The longest there is, because time-outs are a third of it: a busy machine may stand still.
const PERIOD_MS: u64 = PERIOD_MS_MAX;

fn main() {
    // `cargo bench` adds `--bench`; without a url there is nobody to measure against.
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let (Some(url), Some(seconds)) = (words.next(), words.next()) else {
        println!("usage: wire URL SECONDS; benches/wire.sh starts a server and compares");
        return;
    };
    let seconds: f64 = seconds.parse().expect("seconds");
    // As in the program.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().expect("a runtime");
    // On a worker, as the loop of a unit is.
    let task = runtime.spawn(async move { measured(&url, seconds).await });
    let per_second = runtime.block_on(task).expect("a reading");
    println!("{per_second:.2}");
}

async fn measured(url: &str, seconds: f64) -> f64 {
    let mut unit = WiredUnit::connect(unit(url)).await.expect("the server of benches/wire.sh");
    let lasts = Duration::from_secs_f64(seconds);
    let began = Instant::now();
    let mut reads = 0;
    while began.elapsed() < lasts {
        let reading = unit.read().await;
        let last = reading.reference.expect("ten temperatures");
        assert_eq!(last.quality, Quality::Good, "{:?}", unit.faults());
        reads += 1;
    }
    f64::from(reads) / began.elapsed().as_secs_f64()
}

/// One device whose ten registers are bath, eight milk probes and the reference.
fn unit(url: &str) -> UnitSpec {
    let profile = Profile::parse("ten.toml", &profile()).expect("a good profile");
    let device = DeviceSpec {
        name: "ten".into(),
        profile: Arc::new(profile),
        bus: "bus".into(),
        address: 1,
    };
    let milk = (0..8).map(Role::Milk);
    let roles = [Role::Bath].into_iter().chain(milk).chain([Role::Reference]);
    let roles = roles.enumerate().map(|(index, role)| RoleSpec {
        role,
        device: "ten".into(),
        point: format!("t{index}"),
    });
    let bus = BusSpec { name: "bus".into(), url: url.into() };
    UnitSpec::new("bench", false, PERIOD_MS, vec![bus], vec![device], roles.collect())
        .expect("a good unit")
}

fn profile() -> String {
    let mut text = String::from(
        "title = \"ten registers\"\nprotocol = \"modbus\"\nsource = \"benches/wire/server.c\"\n\
         verified = \"simulated\"\n[modbus]\nfunction_codes = [3]\nreport_server_id = false\n",
    );
    for address in 0..10 {
        text += &format!(
            "[[point]]\nname = \"t{address}\"\ntitle = \"temperature {address}\"\n\
             entity = \"holding_register\"\naddress = {address}\ndata_type = \"INT16\"\n\
             scale = 0.1\nunit = \"degC\"\nrange = [-50, 120]\n"
        );
    }
    text
}
