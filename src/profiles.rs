//! What is shipped inside the program: recipes, device profiles, stations. A station's own file
//! has a new name; it never shadows a shipped one.

/// The shipped recipes: name and text.
pub const RECIPES: &[(&str, &str)] = &[
    ("holder-hmbana", include_str!("../profiles/recipes/holder-hmbana.toml")),
    ("holder-nice-cg93", include_str!("../profiles/recipes/holder-nice-cg93.toml")),
    ("holder-australia", include_str!("../profiles/recipes/holder-australia.toml")),
    ("holder-france", include_str!("../profiles/recipes/holder-france.toml")),
    ("holder-brazil-recife", include_str!("../profiles/recipes/holder-brazil-recife.toml")),
];

/// The shipped device profiles: name and text.
pub const DEVICES: &[(&str, &str)] = &[
    ("autonics-tk", include_str!("../profiles/devices/autonics-tk.toml")),
    ("delta-dtb", include_str!("../profiles/devices/delta-dtb.toml")),
    ("eurotherm-3200", include_str!("../profiles/devices/eurotherm-3200.toml")),
    ("huber-pb", include_str!("../profiles/devices/huber-pb.toml")),
    ("icpdas-tm-th8", include_str!("../profiles/devices/icpdas-tm-th8.toml")),
    ("intech-2300-rtd6", include_str!("../profiles/devices/intech-2300-rtd6.toml")),
    ("julabo", include_str!("../profiles/devices/julabo.toml")),
    ("lauda", include_str!("../profiles/devices/lauda.toml")),
    ("neslab-nc", include_str!("../profiles/devices/neslab-nc.toml")),
    ("novus-n1200", include_str!("../profiles/devices/novus-n1200.toml")),
    ("omron-e5cc", include_str!("../profiles/devices/omron-e5cc.toml")),
    ("pixsys-drr245", include_str!("../profiles/devices/pixsys-drr245.toml")),
    ("polyscience", include_str!("../profiles/devices/polyscience.toml")),
    ("procon-pm6rtd", include_str!("../profiles/devices/procon-pm6rtd.toml")),
    ("relay-generic-8", include_str!("../profiles/devices/relay-generic-8.toml")),
    ("watlow-ez-zone-pm", include_str!("../profiles/devices/watlow-ez-zone-pm.toml")),
    ("watlow-gateway", include_str!("../profiles/devices/watlow-gateway.toml")),
];

/// The shipped stations: name and text. `demo` is simulated; `first` is what `holder init`
/// writes for a station with real hardware.
pub const STATIONS: &[(&str, &str)] = &[
    ("demo", include_str!("../profiles/stations/demo.toml")),
    ("first", include_str!("../profiles/stations/first.toml")),
];

/// The recipe that is used where none is named: the strict one.
pub const RECIPE_DEFAULT: &str = "holder-hmbana";

/// The text of the shipped recipe with this name.
pub fn recipe(name: &str) -> Option<&'static str> {
    RECIPES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The text of the shipped station with this name.
pub fn station(name: &str) -> Option<&'static str> {
    STATIONS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
