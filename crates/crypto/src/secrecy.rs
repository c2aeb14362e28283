//! Compile-time checks: what holds a live secret can be neither copied nor printed nor stored.

/// Fails to compile, as ambiguous, if the type implements one of the traits.
macro_rules! assert_implements_none {
    ($type:ty: $($forbidden:path),+) => {
        const _: fn() = || {
            trait Ambiguous<Marker> {
                fn chosen() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            $({
                struct Forbidden;
                impl<T: ?Sized + $forbidden> Ambiguous<Forbidden> for T {}
            })+
            let _ = <$type as Ambiguous<_>>::chosen;
        };
    };
}

macro_rules! assert_secret {
    ($($type:ty),+) => {
        $(assert_implements_none!($type: Clone, std::fmt::Debug, std::fmt::Display, serde::Serialize);)+
    };
}

assert_secret!(
    crate::KeyMaterial,
    crate::MacKey,
    crate::PrivateKey,
    crate::SealingKey,
    crate::content::ContentKey,
    crate::content::PartSealer,
    crate::digest::HmacSha256Key,
    crate::root::RootKey,
    crate::root::RootFile
);
