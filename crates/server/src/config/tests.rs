use std::ffi::OsString;
use std::io::Write as _;

use super::*;

fn environment(variables: &[(&str, &str)]) -> Environment {
    let owned = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Environment::from_variables(owned).unwrap()
}

fn written(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn load(file: &str, variables: &[(&str, &str)], flags: Flags) -> Result<Config, ConfigError> {
    let file = written(file);
    Config::load(Some(file.path()), environment(variables), &flags)
}

fn problem(file: &str, variables: &[(&str, &str)]) -> String {
    load(file, variables, Flags::default()).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn the_example_names_every_setting_with_its_default() {
    let example = include_str!("../../../../keywright.example.toml");
    let uncommented: String = example
        .lines()
        .filter(|line| !line.starts_with("# ") && *line != "#")
        .map(|line| format!("{}\n", line.strip_prefix('#').unwrap_or(line)))
        .collect();
    let told: toml::Table = toml::from_str(&uncommented).unwrap();
    assert_eq!(told, toml::Table::try_from(Settings::default()).unwrap());
    // As it stands, the file changes nothing.
    let untouched: toml::Table = toml::from_str(example).unwrap();
    assert!(untouched.values().all(sets_nothing));
}

fn sets_nothing(value: &toml::Value) -> bool {
    value.as_table().is_some_and(|table| table.values().all(sets_nothing))
}

#[test]
fn nothing_given_means_the_defaults() {
    let config = Config::load(None, Environment::default(), &Flags::default()).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:4599");
    assert_eq!(config.data_dir, Path::new("./data"));
    assert_eq!(config.default_region.as_str(), "us-east-1");
    assert_eq!(config.signature_window, Duration::from_secs(300));
    assert_eq!(config.limits.body_max, 1 << 20);
    assert!(config.seed.is_none() && config.tls.is_none() && config.passphrase.is_none() && !config.dev);
}

#[test]
fn the_environment_stands_over_the_file_and_the_command_line_over_both() {
    let file = "listen = '127.0.0.1:1'\ndata_dir = 'file'\n[limits]\nconnections_max = 7\nidle_timeout_seconds = 9\n[log]\nlevel = 'warn'";
    let variables = [
        ("KEYWRIGHT_LISTEN", "127.0.0.1:2"),
        ("KEYWRIGHT_LIMITS_CONNECTIONS_MAX", "8"),
        ("KEYWRIGHT_REGIONS", "us-east-1, eu-central-1"),
        ("KEYWRIGHT_DEV", "true"),
        ("HOME", "/nowhere"),
    ];
    let flags = Flags::default().text("listen", Some("127.0.0.1:3")).switch("dev", false);
    let config = load(file, &variables, flags).unwrap();
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.limits.connections_max, 8);
    assert_eq!(config.limits.idle_timeout, Duration::from_secs(9));
    assert_eq!(config.data_dir, Path::new("file"));
    assert_eq!(config.log.level, tracing::level_filters::LevelFilter::WARN);
    assert_eq!(config.regions.len(), 2);
    assert!(config.dev);
}

#[test]
fn each_mistake_is_told_with_its_setting_and_its_place() {
    for (file, setting, words) in [
        ("lisen = 'x'", "`lisen`", "does not exist"),
        ("[limits]\nbody_max = 1", "`limits.body_max`", "body_max_bytes"),
        ("dev = 'perhaps'", "`dev`", "expected a boolean"),
        ("listen = 'localhost'", "`listen`", "IP address and a port"),
        ("data_dir = ''", "`data_dir`", "folder"),
        ("default_region = 'Frankfurt'", "`default_region`", "Frankfurt"),
        ("regions = ['eu-central-1']", "`default_region`", "not among"),
        ("signature_window_seconds = 0", "`signature_window_seconds`", "from 1 to 3600"),
        ("attestation_roots = ['']", "`attestation_roots`", "must name files"),
        ("[limits]\nbody_max_bytes = 99999999", "`limits.body_max_bytes`", "16777216"),
        ("[limits]\nbody_memory_max_bytes = 5", "`limits.body_memory_max_bytes`", "1048576"),
        ("[limits]\nheader_max_bytes = 100", "`limits.header_max_bytes`", "8192"),
        (
            "[kms]\nencrypt_plaintext_max_bytes = 4095",
            "`kms.encrypt_plaintext_max_bytes`",
            "from 4096 to 1048576",
        ),
        ("[kms]\nencrypt_plaintext_max_bytes = 1048577", "`kms.encrypt_plaintext_max_bytes`", "to 1048576"),
        (
            "[kms]\nencrypt_plaintext_max_bytes = 1048576",
            "`kms.encrypt_plaintext_max_bytes`",
            "at least 1463776",
        ),
        ("[kms]\ndeletion_window_days = 6", "`kms.deletion_window_days`", "from 7 to 30"),
        ("[kms]\ndeletion_window_days = 31", "`kms.deletion_window_days`", "from 7 to 30"),
        ("[kms]\nretained_materials = -1", "`kms.retained_materials`", "u64"),
        ("[kms]\nkeys_per_region_max = 0", "`kms.keys_per_region_max`", "from 1 to 1000000"),
        ("[kms]\naliases_per_key_max = 51", "`kms.aliases_per_key_max`", "from 1 to 50"),
        ("[objects]\nbucket_key_seconds = 0", "`objects.bucket_key_seconds`", "from 1 to 3600"),
        ("[objects]\nbucket_key_seconds = 3601", "`objects.bucket_key_seconds`", "from 1 to 3600"),
        ("[objects]\nhost_names = ['127.0.0.1']", "`objects.host_names`", "is no IP address"),
        ("[objects]\nblock_customer_keys = 'no'", "`objects.block_customer_keys`", "expected a boolean"),
        ("[request_quotas]\non = true", "`request_quotas.on`", "does not exist"),
        (
            "[request_quotas.per_second]\ncreate_keys = 5",
            "`request_quotas.per_second.create_keys`",
            "is no request quota",
        ),
        (
            "[request_quotas.per_second]\ncreate_key = 10000001",
            "`request_quotas.per_second.create_key`",
            "from 0 to 10000000",
        ),
        ("[tls]\ncertificate = 'a'", "`tls.certificate`", "`tls.key` is not"),
        ("[tls]\nkey = 'a'", "`tls.key`", "`tls.certificate` is not"),
        ("[tls]\nkey = 'a'\ncertificate = 'b'\ndevelopment = true", "`tls.development`", "choose"),
        ("[tls]\nmin_version = '1.1'", "`tls.min_version`", "1.2 or 1.3"),
        ("[cors]\norigins = ['https://a/b']", "`cors.origins`", "https://a/b"),
        ("[cors]\norigins = ['*']", "`cors.origins`", "origin is"),
        ("[log]\nlevel = 'loud'", "`log.level`", "loud"),
        ("[log]\nformat = 'xml'", "`log.format`", "xml"),
        ("[root]\npassphrase_file = 'a'\npassphrase_prompt = true", "`root.passphrase_prompt`", "choose"),
    ] {
        let told = problem(file, &[]);
        assert!(told.contains(setting) && told.contains(words), "{file}: {told}");
        assert!(!told.contains('\n'), "{told}");
    }
    // The place is the layer that set the value; without one it is the default.
    let path = written("dev = 3");
    let error = Config::load(Some(path.path()), Environment::default(), &Flags::default()).err().unwrap();
    assert!(error.to_string().starts_with(&path.path().display().to_string()), "{error}");
    let flags = Flags::default().text("listen", Some("x"));
    assert!(load("", &[], flags).err().unwrap().to_string().starts_with("command line: "));
    assert!(problem("", &[("KEYWRIGHT_LISTEN", "x")]).starts_with("environment: "));
}

#[test]
fn the_limits_of_operations_can_be_changed_within_bounds() {
    let config = load("", &[], Flags::default()).unwrap();
    assert_eq!((config.kms.encrypt_plaintext_max, config.kms.deletion_window_days), (4_096, 30));
    assert_eq!((config.kms.keys_per_region_max, config.kms.aliases_per_key_max), (100_000, 50));
    let file = "[limits]\nbody_max_bytes = 1463776\n[kms]\nencrypt_plaintext_max_bytes = 1048576\n\
                deletion_window_days = 7\nkeys_per_region_max = 5\naliases_per_key_max = 3";
    let config = load(file, &[], Flags::default()).unwrap();
    assert_eq!((config.kms.encrypt_plaintext_max, config.kms.deletion_window_days), (1 << 20, 7));
    assert_eq!((config.kms.keys_per_region_max, config.kms.aliases_per_key_max), (5, 3));
    let short = file.replace("1463776", "1463775");
    assert!(problem(&short, &[]).contains("`limits.body_max_bytes` must be at least 1463776"));
    // As long as nothing is raised, bodies can be as short as ever.
    assert!(load("[limits]\nbody_max_bytes = 1024", &[], Flags::default()).is_ok());
}

#[test]
fn request_quotas_are_off_until_they_are_switched_on() {
    let rates = |file: &str| load(file, &[], Flags::default()).unwrap().kms.request_rates;
    assert_eq!(rates(""), None);
    assert_eq!(rates("[request_quotas.per_second]\ncreate_key = 50"), None);
    let on = rates("[request_quotas]\nenabled = true").unwrap();
    let raised =
        rates("[request_quotas]\nenabled = true\n[request_quotas.per_second]\ncreate_key = 50").unwrap();
    let mut expected = on;
    expected.set("create_key", Some(50)).unwrap();
    assert!(raised == expected && raised != on);
    let variables = [
        ("KEYWRIGHT_REQUEST_QUOTAS_ENABLED", "true"),
        ("KEYWRIGHT_REQUEST_QUOTAS_PER_SECOND_CREATE_KEY", "50"),
    ];
    let config = load("", &variables, Flags::default()).unwrap();
    assert_eq!(config.kms.request_rates, Some(raised));
}

#[test]
fn files_that_cannot_be_read_are_told_by_name() {
    let told = problem("listen = \n", &[]);
    assert!(told.contains("not valid TOML at line 1"), "{told}");
    let missing = Config::load(Some(Path::new("/no/such/file")), Environment::default(), &Flags::default());
    assert!(missing.err().unwrap().to_string().contains("/no/such/file cannot be read"));
}

#[test]
fn the_environment_can_name_the_file_and_the_command_line_overrules_it() {
    let file = written("listen = '127.0.0.1:5'");
    let named = || environment(&[("KEYWRIGHT_CONFIG", &file.path().display().to_string())]);
    let config = Config::load(None, named(), &Flags::default()).unwrap();
    assert_eq!(config.listen.port(), 5);
    let other = written("listen = '127.0.0.1:6'");
    let config = Config::load(Some(other.path()), named(), &Flags::default()).unwrap();
    assert_eq!(config.listen.port(), 6);
}

#[test]
fn variables_that_we_do_not_know_are_told_and_foreign_ones_are_not() {
    assert!(problem("", &[("KEYWRIGHT_LISTN", "x")]).contains("KEYWRIGHT_LISTN is not one"));
    assert!(problem("", &[("KEYWRIGHT_DEV", "perhaps")]).contains("KEYWRIGHT_DEV is `perhaps`"));
    assert!(problem("", &[("KEYWRIGHT_LIMITS_BODY_MAX_BYTES", "-1")]).contains("whole number"));
    let kubernetes =
        [("KEYWRIGHT_PORT", "tcp://10.0.0.1:4599"), ("KEYWRIGHT_SERVICE_HOST", "10.0.0.1"), ("LISTEN", "x")];
    assert!(load("", &kubernetes, Flags::default()).is_ok());
}

#[test]
fn a_passphrase_has_one_source_and_is_not_repeated_in_errors() {
    let config = load("", &[("KEYWRIGHT_PASSPHRASE", "correct horse")], Flags::default()).unwrap();
    let Some(PassphraseSource::Environment(passphrase)) = config.passphrase else { panic!("no passphrase") };
    assert_eq!(passphrase.expose(), "correct horse");
    let both = problem("[root]\npassphrase_file = 'f'", &[("KEYWRIGHT_PASSPHRASE", "correct horse")]);
    assert!(both.contains("choose one") && !both.contains("correct horse"), "{both}");
    let in_file = problem("[root]\npassphrase = 'correct horse'", &[]);
    assert!(in_file.contains("`root.passphrase`") && !in_file.contains("correct horse"), "{in_file}");
}

#[test]
fn the_trail_is_delivered_into_the_data_folder_unless_something_else_is_said() {
    let trail = load("data_dir = 'd'", &[], Flags::default()).unwrap().trail;
    assert_eq!(trail.destination, DestinationChoice::Folder("d/trail/delivered".into()));
    assert_eq!((trail.bucket.as_str(), trail.key_prefix), ("keywright-trail", None));
    assert_eq!((trail.interval.as_secs(), trail.digest_interval_seconds), (300, 3_600));
    assert_eq!((trail.retention_days, trail.delivered_retention_days), (90, None));
    let folder =
        load("[trail.delivery]\ndestination = '/f'\nbucket = 'b-1'", &[], Flags::default()).unwrap().trail;
    assert_eq!(folder.destination, DestinationChoice::Folder("/f".into()));
    assert_eq!(folder.bucket, "b-1");
    let file = "[trail.delivery]\ndestination = 's3://b.1/a/b'\n[trail.delivery.s3]\nendpoint = 'http://h:1'\n\
                region = 'eu-west-1'\npath_style = false\naccess_key_id = 'k'\nsecret_access_key_file = 'f'";
    let bucket = load(file, &[], Flags::default()).unwrap().trail;
    assert_eq!((bucket.bucket.as_str(), bucket.key_prefix.as_deref()), ("b.1", Some("a/b")));
    let expected = BucketChoice {
        endpoint: Some("http://h:1".to_owned()),
        region: "eu-west-1".parse().ok(),
        path_style: false,
        credentials: Some(("k".to_owned(), "f".into())),
        certificate_authority: None,
    };
    assert_eq!(bucket.destination, DestinationChoice::Bucket(expected));
}

#[test]
fn settings_of_the_trail_that_cannot_be_are_told() {
    for (file, words) in [
        ("[trail]\nname = 'a b'", "setting `trail.name` is wrong: a trail's name has"),
        ("[trail]\nretention_days = 0", "`trail.retention_days` is 0, but must be from 1"),
        ("[trail.delivery]\nbucket = 'B'", "`trail.delivery.bucket` names the bucket `B`"),
        ("[trail.delivery]\ndestination = 's3://B'", "`trail.delivery.destination` names the bucket `B`"),
        ("[trail.delivery]\ndestination = 's3://bkt/a//b'", "has the prefix `a//b`"),
        ("[trail.delivery]\ndestination = 's3://bkt/../b'", "has the prefix `../b`"),
        ("[trail.delivery]\ndestination = 's3://bkt/a/'", "has the prefix `a/`"),
        ("[trail.delivery]\ninterval_seconds = 0", "must be from 1 to 3600"),
        ("[trail.delivery]\ndigest_interval_seconds = 86401", "must be from 1 to 86400"),
        (
            "[trail]\ndelivered_retention_days = 9\n[trail.delivery]\ndestination = 's3://bkt'",
            "lifecycle rule",
        ),
        (
            "[trail.delivery]\ndestination = 's3://bkt'\n[trail.delivery.s3]\nendpoint = 'h:1'",
            "must begin with https:// or http://",
        ),
        (
            "[trail.delivery]\ndestination = 's3://bkt'\n[trail.delivery.s3]\naccess_key_id = 'k'",
            "must both be set, or none",
        ),
    ] {
        assert!(problem(file, &[]).contains(words), "{file}: {}", problem(file, &[]));
    }
}

#[test]
fn contents_stay_in_the_data_folder_unless_a_bucket_is_named() {
    assert_eq!(load("", &[], Flags::default()).unwrap().objects.upstream, None);
    let file = "[objects.upstream]\nbucket = 'b-1'\nprefix = 'a/b'\nendpoint = 'http://[::1]:9'\nregion = 'eu-west-1'\n\
                access_key_id = 'k'\nsecret_access_key_file = 'f'";
    let upstream = load(file, &[], Flags::default()).unwrap().objects.upstream.unwrap();
    assert_eq!((upstream.bucket.as_str(), upstream.prefix.as_deref()), ("b-1", Some("a/b")));
    assert_eq!(upstream.place.credentials, Some(("k".to_owned(), "f".into())));
    for endpoint in ["http://localhost", "http://127.0.0.1:9", "https://store.example.com"] {
        let file = format!("[objects.upstream]\nbucket = 'b-1'\nendpoint = '{endpoint}'");
        assert!(load(&file, &[], Flags::default()).is_ok(), "{endpoint}");
    }
    let plain =
        "[objects.upstream]\nbucket = 'b-1'\nplain_http = true\nendpoint = 'http://store.example.com'";
    assert!(load(plain, &[], Flags::default()).is_ok());
    let variables = [("KEYWRIGHT_OBJECTS_UPSTREAM_BUCKET", "b-2")];
    assert_eq!(load("", &variables, Flags::default()).unwrap().objects.upstream.unwrap().bucket, "b-2");
}

#[test]
fn an_upstream_that_cannot_be_is_told() {
    for (lines, words) in [
        ("bucket = 'B'", "`objects.upstream.bucket` names the bucket `B`"),
        ("prefix = 'a'", "`objects.upstream.prefix` is set, but `objects.upstream.bucket` is not"),
        ("access_key_id = 'a'", "`objects.upstream.access_key_id` is set, but"),
        ("bucket = 'b-1'\nprefix = '../a'", "has the prefix `../a`"),
        ("bucket = 'b-1'\nendpoint = 'h:1'", "`objects.upstream.endpoint` is `h:1`, but must begin with"),
        ("bucket = 'b-1'\nendpoint = 'http://192.0.2.1:9'", "is on another machine and not encrypted"),
        (
            "bucket = 'b-1'\nendpoint = 'http://127.0.0.1.example.com'",
            "is on another machine and not encrypted",
        ),
        (
            "bucket = 'b-1'\nendpoint = 'http://localhost@example.com'",
            "is on another machine and not encrypted",
        ),
        ("bucket = 'b-1'\naccess_key_id = 'k'", "`objects.upstream.secret_access_key_file` must both be set"),
        ("bucket = 'b-1'\nsecret_access_key = 's'", "`objects.upstream.secret_access_key` does not exist"),
    ] {
        let file = format!("[objects.upstream]\n{lines}");
        assert!(problem(&file, &[]).contains(words), "{lines}: {}", problem(&file, &[]));
    }
}
