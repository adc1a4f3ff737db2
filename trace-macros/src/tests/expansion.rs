//! What a function turns into, to be read. `UPDATE_EXPECT=1 cargo test` writes the answers anew.

use super::{tokens, traced};
use expect_test::{Expect, expect};

fn check(arguments: &str, item: &str, expected: &Expect) {
    let output = traced(tokens(arguments), tokens(item)).to_string();
    // What a reader knows anyway.
    let output = output.replace(":: trace_runtime :: __private ::", "p ::");
    let file = syn::parse_file(&output).expect("an expansion is Rust");
    expected.assert_eq(&prettyplease::unparse(&file));
}

#[test]
fn sync_function() {
    check(
        "",
        "fn f(a: u64, mut b: String, _p: Permit) -> Result<u64, E> { b.push('x'); g(a)? }",
        &expect![[r#"
            fn f(a: u64, b: String, _p: Permit) -> Result<u64, E> {
                p::returns::<Result<u64, E>>()
                    .__how()
                    .__call(
                        {
                            struct __Here;
                            static __CALLSITE: p::LazyCallsite = p::LazyCallsite::NEW;
                            p::Arg(&b)
                                .__record(
                                    p::start::<__Here>(&__CALLSITE, "orders 1.2.3 a b").__u64(0, a),
                                    1,
                                )
                        },
                        (a, b, _p),
                        move |(a, mut b, _p)| -> Result<u64, E> {
                            b.push('x');
                            g(a)?
                        },
                    )
            }
        "#]],
    );
}

#[test]
fn async_method() {
    check(
        "",
        "pub async fn checkout(&self, order_id: u64, #[traced(redact)] card: &str) -> anyhow::Result<Receipt> { self.pay(card).await }",
        &expect![[r#"
            pub async fn checkout(&self, order_id: u64, card: &str) -> anyhow::Result<Receipt> {
                p::returns::<anyhow::Result<Receipt>>()
                    .__how()
                    .__future(
                        {
                            struct __Here;
                            static __CALLSITE: p::LazyCallsite = p::LazyCallsite::NEW;
                            p::redacted(
                                p::start::<__Here>(&__CALLSITE, "orders 1.2.3 order_id card")
                                    .__u64(0, order_id),
                                1,
                            )
                        },
                        {
                            let order_id = order_id;
                            async move {
                                if false {
                                    return p::fake::<anyhow::Result<Receipt>>();
                                }
                                self.pay(card).await
                            }
                        },
                    )
                    .await
            }
        "#]],
    );
}

/// Small enough to read.
#[test]
fn three_arguments_and_a_result_take_40_lines() {
    let item = "async fn pay(order: u64, card: Card, note: &str) -> Result<Receipt, Declined> { charge(order, card, note).await }";
    let output = traced(tokens(""), tokens(item)).to_string();
    let output = output.replace(":: trace_runtime :: __private ::", "p ::");
    let file = syn::parse_file(&output).expect("an expansion is Rust");
    let pretty = prettyplease::unparse(&file);
    let lines = pretty.lines().count();
    assert!(lines <= 40, "{lines} lines:\n{pretty}");
}

#[test]
fn nothing_to_record() {
    check(
        "",
        "fn tick() { spin() }",
        &expect![[r#"
            fn tick() {
                let __ret = p::call_only(
                    {
                        struct __Here;
                        static __CALLSITE: p::LazyCallsite = p::LazyCallsite::NEW;
                        p::start::<__Here>(&__CALLSITE, "orders 1.2.3")
                    },
                    (),
                    move |()| -> () { spin() },
                );
                __ret
            }
        "#]],
    );
}

#[test]
fn constant_options() {
    check(
        r#""POST /checkout", kind = server, level = debug, only(password), fields("http.route" = "/checkout", { KEY } = 1)"#,
        "fn handler(password: &str, r#type: u8, State(db): State<Db>, _: &Permit) {}",
        &expect![[r#"
            fn handler(password: &str, r#type: u8, State(db): State<Db>, __arg3: &Permit) {
                let __ret = p::call_only(
                    {
                        struct __Here;
                        static __CALLSITE: p::Callsite = p::Callsite::new::<
                            __Here,
                        >("orders", "1.2.3", &["password", "http.route", KEY])
                            .shown(1)
                            .name("POST /checkout")
                            .kind(p::Kind::Server)
                            .level(p::Level::Debug);
                        let mut __span = p::Callsite::start(&__CALLSITE).__str(0, password);
                        if p::enabled(&__span) {
                            p::record(&mut __span, 1, &("/checkout"));
                            p::record(&mut __span, 2, &(1));
                        }
                        __span
                    },
                    (password, r#type, db, __arg3),
                    move |(password, r#type, db, __arg3)| -> () {},
                );
                __ret
            }
        "#]],
    );
}

#[test]
fn dynamic_options() {
    check(
        "name = format!(\"{a}\"), parent = headers, links = batch.iter(), fields(user.id, len = %batch.len(), ?a)",
        "fn process(a: u8, headers: HeaderMap, batch: Vec<Message>, Json(user): Json<User>) {}",
        &expect![[r#"
            fn process(a: u8, headers: HeaderMap, batch: Vec<Message>, Json(user): Json<User>) {
                let __ret = p::call_only(
                    {
                        struct __Here;
                        static __CALLSITE: p::Callsite = p::Callsite::new::<
                            __Here,
                        >("orders", "1.2.3", &["headers", "batch", "user", "user.id", "len", "a"]);
                        let __span = if p::Callsite::is_enabled(&__CALLSITE) {
                            p::Callsite::start_named(
                                &__CALLSITE,
                                p::parent(&(headers)),
                                || ::core::convert::Into::into(format!("{a}")),
                            )
                        } else {
                            p::off()
                        };
                        let mut __span = p::Arg(&user)
                            .__record(
                                p::Arg(&batch).__record(p::Arg(&headers).__record(__span, 0), 1),
                                2,
                            );
                        if p::enabled(&__span) {
                            p::record(&mut __span, 3, &(user.id));
                            p::record_display(&mut __span, 4, &(batch.len()));
                            p::record_debug(&mut __span, 5, &(a));
                            p::links(&mut __span, batch.iter());
                        }
                        __span
                    },
                    (a, headers, batch, user),
                    move |(a, headers, batch, user)| -> () {
                        let _ = &a;
                        let _ = &headers;
                        let _ = &batch;
                        let _ = &user;
                    },
                );
                __ret
            }
        "#]],
    );
    check(
        "root",
        "fn tick() {}",
        &expect![[r#"
            fn tick() {
                let __ret = p::call_only(
                    {
                        struct __Here;
                        static __CALLSITE: p::Callsite = p::Callsite::new::<
                            __Here,
                        >("orders", "1.2.3", &[]);
                        let __span = if p::Callsite::is_enabled(&__CALLSITE) {
                            p::Callsite::start_with(&__CALLSITE, p::root())
                        } else {
                            p::off()
                        };
                        __span
                    },
                    (),
                    move |()| -> () {},
                );
                __ret
            }
        "#]],
    );
}

#[test]
fn result_options() {
    check(
        "ret(total = ret.total), err(Debug, peer = %err.peer), err_type = err.code()",
        "fn f() -> Result<Receipt, E> { g() }",
        &expect![[r#"
            fn f() -> Result<Receipt, E> {
                let (__ret, mut __span) = p::call(
                    {
                        struct __Here;
                        static __CALLSITE: p::LazyCallsite = p::LazyCallsite::NEW;
                        p::start::<__Here>(&__CALLSITE, "orders 1.2.3 total peer")
                    },
                    (),
                    move |()| -> Result<Receipt, E> { g() },
                );
                p::outcome(&__ret).__error().__record_debug(&mut __span);
                if p::enabled_late(&__span) {
                    if let ::core::option::Option::Some(err) = p::failed(&__ret) {
                        p::error_type(&__span, err.code());
                        p::late_display(&__span, 1, &(err.peer));
                    }
                    if let ::core::option::Option::Some(ret) = p::outcome(&__ret).__ok() {
                        p::late(&__span, 0, &(ret.total));
                    }
                }
                __ret
            }
        "#]],
    );
    check(
        "ret, err_if = Option::is_none",
        "fn find(&self, key: &str) -> Option<Row> { self.rows.get(key) }",
        &expect![[r#"
            fn find(&self, key: &str) -> Option<Row> {
                let (__ret, mut __span) = p::call(
                    {
                        struct __Here;
                        static __CALLSITE: p::LazyCallsite = p::LazyCallsite::NEW;
                        p::start::<__Here>(&__CALLSITE, "orders 1.2.3 key return").__str(0, key)
                    },
                    (key,),
                    move |(key,)| -> Option<Row> { self.rows.get(key) },
                );
                if p::enabled_late(&__span) {
                    p::outcome(&__ret).__error().__record_if(&__ret, Option::is_none, &mut __span);
                    if let ::core::option::Option::Some(ret) = p::outcome(&__ret).__ok() {
                        p::whole(ret).__record(&__span, 1);
                    }
                }
                __ret
            }
        "#]],
    );
}

#[test]
fn returned_futures() {
    check(
        "",
        "fn f(a: u8) -> impl Future<Output = Result<u8, E>> + Send { async move { Ok(a) } }",
        &expect![[r#"
            fn f(a: u8) -> impl Future<Output = Result<u8, E>> + Send {
                let mut __span = p::enter({
                    struct __Here;
                    static __CALLSITE: p::LazyCallsite = p::LazyCallsite::NEW;
                    p::start::<__Here>(&__CALLSITE, "orders 1.2.3 a").__u8(0, a)
                });
                let __future = p::call_future::<
                    Result<u8, E>,
                    _,
                    _,
                >(&mut __span, (a,), move |(a,)| { async move { Ok(a) } });
                async move {
                    let (__ret, mut __span) = p::resume(__span, __future).await;
                    p::outcome(&__ret).__error().__record(&mut __span);
                    __ret
                }
            }
        "#]],
    );
    check(
        "skip_all",
        "fn f<'a>(&'a self) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> { Box::pin(async {}) }",
        &expect![[r#"
            fn f<'a>(&'a self) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
                let mut __span = p::enter({
                    struct __Here;
                    static __CALLSITE: p::LazyCallsite = p::LazyCallsite::NEW;
                    p::start::<__Here>(&__CALLSITE, "orders 1.2.3")
                });
                let __future = p::call_unfinished(
                    &mut __span,
                    (),
                    move |()| -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> { Box::pin(async {}) },
                );
                ::std::boxed::Box::pin(async move {
                    let __ret = p::resume_only(__span, __future).await;
                    __ret
                })
            }
        "#]],
    );
}

#[test]
fn other_opaque_types() {
    check(
        "",
        "fn f(n: usize, mut seed: u8) -> impl Iterator<Item = u8> { (0..n).map(move |_| seed) }",
        &expect![[r#"
            fn f(n: usize, seed: u8) -> impl Iterator<Item = u8> {
                let mut __span = p::enter({
                    struct __Here;
                    static __CALLSITE: p::LazyCallsite = p::LazyCallsite::NEW;
                    p::start::<__Here>(&__CALLSITE, "orders 1.2.3 n seed")
                        .__usize(0, n)
                        .__u8(1, seed)
                });
                let __entered = p::attach(&mut __span);
                let n = n;
                let mut seed = seed;
                { (0..n).map(move |_| seed) }
            }
        "#]],
    );
    check(
        "",
        "fn f() -> Result<(impl Iterator<Item = u8> + 'static, impl Fn(u8) -> u8), E> { g() }",
        &expect![[r#"
            fn f() -> Result<(impl Iterator<Item = u8> + 'static, impl Fn(u8) -> u8), E> {
                let (__ret, mut __span) = p::call(
                    {
                        struct __Here;
                        static __CALLSITE: p::LazyCallsite = p::LazyCallsite::NEW;
                        p::start::<__Here>(&__CALLSITE, "orders 1.2.3")
                    },
                    (),
                    move |()| -> Result<(_, _), E> { g() },
                );
                p::outcome(&__ret).__error().__record(&mut __span);
                __ret
            }
        "#]],
    );
}

#[test]
fn parameters_with_attributes_are_captured() {
    check(
        "",
        r#"fn f(#[cfg(feature = "x")] a: u8, #[allow(unused_mut)] mut b: u8, c: u8) {}"#,
        &expect![[r#"
            fn f(#[cfg(feature = "x")] a: u8, #[allow(unused_mut)] mut b: u8, c: u8) {
                let __ret = p::call_only(
                    {
                        struct __Here;
                        static __CALLSITE: p::LazyCallsite = p::LazyCallsite::NEW;
                        let __span = p::start::<__Here>(&__CALLSITE, "orders 1.2.3 a b c");
                        #[cfg(feature = "x")]
                        let __span = __span.__u8(0, a);
                        __span.__u8(1, b).__u8(2, c)
                    },
                    (c,),
                    move |(c,)| -> () {},
                );
                __ret
            }
        "#]],
    );
}

#[test]
fn owned_receiver_moves_in_whole() {
    check(
        "",
        "fn f(mut self, n: u8) -> ! { self.run(n) }",
        &expect![[r#"
            fn f(mut self, n: u8) -> ! {
                p::call_only(
                    {
                        struct __Here;
                        static __CALLSITE: p::LazyCallsite = p::LazyCallsite::NEW;
                        p::start::<__Here>(&__CALLSITE, "orders 1.2.3 n").__u8(0, n)
                    },
                    (n,),
                    move |(n,)| -> ! {
                        let _ = &self;
                        self.run(n)
                    },
                );
            }
        "#]],
    );
}

#[test]
fn container() {
    check(
        "kind = client, fields(self.id), skip(secret)",
        "impl<T> Orders<T> {
            const N: [u8; 2] = { [1, 2] };
            const fn id(&self) -> u8 { 0 }
            #[traced(off)] fn new(#[traced(skip)] a: u8) -> Self { Self }
            #[traced(kind = server, fields(n = a + 1))] fn a(&self, secret: u8, a: u8) {}
            fn free(a: u8) {}
        }",
        &expect![[r#"
            impl<T> Orders<T> {
                const N: [u8; 2] = { [1, 2] };
                const fn id(&self) -> u8 {
                    0
                }
                fn new(a: u8) -> Self {
                    Self
                }
                fn a(&self, secret: u8, a: u8) {
                    let __ret = p::call_only(
                        {
                            struct __Here;
                            static __CALLSITE: p::Callsite = p::Callsite::new::<
                                __Here,
                            >("orders", "1.2.3", &["a", "self.id", "n"])
                                .kind(p::Kind::Server);
                            let mut __span = p::Callsite::start(&__CALLSITE).__u8(0, a);
                            if p::enabled(&__span) {
                                p::record(&mut __span, 1, &(self.id));
                                p::record(&mut __span, 2, &(a + 1));
                            }
                            __span
                        },
                        (secret, a),
                        move |(secret, a)| -> () {
                            let _ = &a;
                        },
                    );
                    __ret
                }
                fn free(a: u8) {
                    let __ret = p::call_only(
                        {
                            struct __Here;
                            static __CALLSITE: p::Callsite = p::Callsite::new::<
                                __Here,
                            >("orders", "1.2.3", &["a"])
                                .kind(p::Kind::Client);
                            p::Callsite::start(&__CALLSITE).__u8(0, a)
                        },
                        (a,),
                        move |(a,)| -> () {},
                    );
                    __ret
                }
            }
        "#]],
    );
}

#[test]
fn mistakes_keep_the_item() {
    check(
        "nmae = 1, skip(b)",
        "#[traced(root)] pub fn f(#[traced(skip)] a: u8) -> u8 { a }",
        &expect![[r#"
            ::core::compile_error! {
                "unknown `#[traced]` option `nmae`\nhelp: did you mean `name`?"
            }
            ::core::compile_error! {
                "`#[traced]` applied more than once"
            }
            ::core::compile_error! {
                "`b` is not an argument of `f`\nhelp: arguments are `a`"
            }
            pub fn f(a: u8) -> u8 {
                a
            }
        "#]],
    );
}

#[cfg(feature = "stream")]
#[test]
fn streams() {
    check(
        "",
        "fn f(n: usize) -> impl Stream<Item = Result<u8, E>> { iter(n) }",
        &expect![[r#"
            fn f(n: usize) -> impl Stream<Item = Result<u8, E>> {
                let mut __span = p::enter({
                    struct __Here;
                    static __CALLSITE: p::LazyCallsite = p::LazyCallsite::NEW;
                    p::start::<__Here>(&__CALLSITE, "orders 1.2.3 n").__usize(0, n)
                });
                let __ret = p::call_stream::<
                    Result<u8, E>,
                    _,
                    _,
                >(&mut __span, (n,), move |(n,)| { iter(n) });
                p::observed_in_span(
                    __span,
                    __ret,
                    |__ret, mut __span| {
                        p::outcome(&__ret).__error().__record(&mut __span);
                        __ret
                    },
                )
            }
        "#]],
    );
    check(
        "skip_all, err = off",
        "fn f<'a>(n: &'a [u8]) -> BoxStream<'a, u8> { iter(n).boxed() }",
        &expect![[r#"
            fn f<'a>(n: &'a [u8]) -> BoxStream<'a, u8> {
                let mut __span = p::enter({
                    struct __Here;
                    static __CALLSITE: p::LazyCallsite = p::LazyCallsite::NEW;
                    p::start::<__Here>(&__CALLSITE, "orders 1.2.3")
                });
                let __ret = p::call_unfinished(
                    &mut __span,
                    (n,),
                    move |(n,)| -> BoxStream<'a, u8> { iter(n).boxed() },
                );
                ::std::boxed::Box::pin(p::stream_in_span(__span, __ret))
            }
        "#]],
    );
    check(
        "",
        "async fn f() -> Pin<Box<dyn Stream<Item = ()> + Send>> { g().await }",
        &expect![[r#"
            async fn f() -> Pin<Box<dyn Stream<Item = ()> + Send>> {
                let (__ret, __span) = p::in_span(
                        {
                            struct __Here;
                            static __CALLSITE: p::LazyCallsite = p::LazyCallsite::NEW;
                            p::start::<__Here>(&__CALLSITE, "orders 1.2.3")
                        },
                        async move {
                            if false {
                                return p::fake::<Pin<Box<dyn Stream<Item = ()> + Send>>>();
                            }
                            return if false { p::fake() } else { g().await };
                        },
                    )
                    .await;
                ::std::boxed::Box::pin(p::stream_in_span(__span, __ret))
            }
        "#]],
    );
    check(
        "ret, err_if = is_bad",
        "fn f() -> impl Stream<Item = ()> { g() }",
        &expect![[r#"
            ::core::compile_error! {
                "`err_if` needs a return value that can fail, but `f` returns a stream of `()`"
            }
            ::core::compile_error! {
                "`ret` needs a return value to record, but `f` returns a stream of `()`"
            }
            fn f() -> impl Stream<Item = ()> {
                g()
            }
        "#]],
    );
}
