//! What the attributes write compiles against the smallest facade that keeps the contract, and does
//! what it says: it registers, encodes arguments as arrays, and runs the user's function.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use facade::__private::{Provided, RegisteredStep, RegisteredWorkflow, StepDefinition};
use rewake_macros::{step, workflow};

/// The smallest facade. What stands in `__private` is all that the attributes ask for.
mod facade {
    use std::marker::PhantomData;

    pub(crate) struct Call<T> {
        pub(crate) name: &'static str,
        pub(crate) arguments: String,
        output: PhantomData<fn() -> T>,
    }

    pub(crate) type WorkflowCall<T> = Call<T>;
    pub(crate) type StepCall<T> = Call<T>;

    pub(crate) mod __private {
        use std::any::{Any, type_name};
        use std::convert::Infallible;
        use std::marker::PhantomData;
        use std::pin::Pin;

        use serde::Serialize;
        use serde::de::DeserializeOwned;

        use super::Call;

        pub(crate) use ::inventory;

        pub(crate) type Payload = str;
        pub(crate) type Body = Result<Pin<Box<dyn Future<Output = String> + Send>>, String>;
        pub(crate) type WorkflowBody = Body;
        pub(crate) type StepBody = Body;

        pub(crate) trait Outcome {
            type Ok;
            fn success(self) -> Self::Ok;
        }

        impl<T> Outcome for Result<T, Infallible> {
            type Ok = T;
            fn success(self) -> T {
                let Ok(success) = self;
                success
            }
        }

        pub(crate) struct WorkflowDefinition {
            pub(crate) name: &'static str,
            pub(crate) aliases: &'static [&'static str],
            pub(crate) function: &'static str,
            pub(crate) file: &'static str,
            pub(crate) line: u32,
            pub(crate) run: fn(&Payload) -> WorkflowBody,
        }

        pub(crate) struct StepDefinition {
            pub(crate) name: &'static str,
            pub(crate) function: &'static str,
            pub(crate) file: &'static str,
            pub(crate) line: u32,
            pub(crate) max_retries: u32,
            pub(crate) timeout_ms: Option<u64>,
            pub(crate) backoff_ms: u64,
            pub(crate) provided: &'static [fn() -> ProvidedType],
            pub(crate) run: fn(&Payload, &Provided) -> StepBody,
        }

        pub(crate) struct RegisteredWorkflow(pub(crate) &'static WorkflowDefinition);
        pub(crate) struct RegisteredStep(pub(crate) &'static StepDefinition);
        inventory::collect!(RegisteredWorkflow);
        inventory::collect!(RegisteredStep);

        pub(crate) struct ProvidedType(pub(crate) &'static str);

        impl ProvidedType {
            pub(crate) fn of<T: Clone + Send + Sync + 'static>() -> Self {
                Self(type_name::<T>())
            }
        }

        pub(crate) struct Provided(pub(crate) Vec<Box<dyn Any + Send + Sync>>);

        impl Provided {
            pub(crate) fn get<T: Clone + Send + Sync + 'static>(&self) -> Result<T, &'static str> {
                let mut found = self.0.iter().filter_map(|value| value.downcast_ref::<T>());
                found.next().cloned().ok_or_else(type_name::<T>)
            }
        }

        pub(crate) fn missing_provided(missing: &'static str) -> StepBody {
            Err(format!("missing {missing}"))
        }

        pub(crate) fn run_workflow<A, F>(input: &Payload, run: impl FnOnce(A) -> F) -> Body
        where
            A: DeserializeOwned,
            F: Future + Send + 'static,
            F::Output: Outcome,
            <F::Output as Outcome>::Ok: Serialize,
        {
            let arguments = serde_json::from_str(input).map_err(|error| error.to_string())?;
            let future = run(arguments);
            Ok(Box::pin(async move {
                serde_json::to_string(&future.await.success()).expect("results can be encoded")
            }))
        }

        pub(crate) fn run_step<A, F>(input: &Payload, run: impl FnOnce(A) -> F) -> Body
        where
            A: DeserializeOwned,
            F: Future + Send + 'static,
            F::Output: Outcome,
            <F::Output as Outcome>::Ok: Serialize,
        {
            run_workflow(input, run)
        }

        pub(crate) fn workflow_call<A: Serialize, T: DeserializeOwned>(
            definition: &'static WorkflowDefinition,
            arguments: &A,
        ) -> Call<T> {
            call(definition.name, arguments)
        }

        pub(crate) fn step_call<A: Serialize, T: DeserializeOwned>(
            definition: &'static StepDefinition,
            arguments: &A,
        ) -> Call<T> {
            call(definition.name, arguments)
        }

        fn call<T>(name: &'static str, arguments: &impl Serialize) -> Call<T> {
            Call {
                name,
                arguments: serde_json::to_string(arguments).expect("arguments can be encoded"),
                output: PhantomData,
            }
        }
    }
}

#[derive(Clone)]
struct Greeting(&'static str);

#[workflow(crate = crate::facade)]
async fn countdown(from: u32) -> Result<String, Infallible> {
    Ok(countdown(from - 1).arguments)
}

#[workflow(name = "tick", aliases = ["tack"], crate = facade)]
async fn without_arguments() -> Result<(), Infallible> {
    Ok(())
}

#[step(crate = facade)]
async fn run(
    mut run: u8,
    (a, b): (u8, u8),
    _: bool,
    arguments: u8,
    argument_1: u8,
) -> Result<u8, Infallible> {
    run += a + b + arguments + argument_1;
    Ok(run)
}

#[step(max_retries = 5, timeout = "30s", backoff = "2s", crate = facade)]
async fn greet(
    #[provided] greeting: Greeting,
    name: String,
    #[provided] times: u8,
) -> Result<String, Infallible> {
    Ok(format!("{} {name} {times}", greeting.0))
}

fn workflow_named(name: &str) -> Option<&'static facade::__private::WorkflowDefinition> {
    let mut all = inventory::iter::<RegisteredWorkflow>.into_iter();
    all.find(|registered| registered.0.name == name)
        .map(|registered| registered.0)
}

fn step_named(name: &str) -> Option<&'static StepDefinition> {
    let mut all = inventory::iter::<RegisteredStep>.into_iter();
    all.find(|registered| registered.0.name == name)
        .map(|registered| registered.0)
}

fn finished(body: facade::__private::Body) -> Result<String, String> {
    let mut context = Context::from_waker(Waker::noop());
    let mut future = pin!(body?);
    match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => Err("pending".to_owned()),
    }
}

#[test]
fn a_workflow_registers_under_module_and_function() {
    let definition = workflow_named("contract::countdown").expect("it is registered");
    assert_eq!(definition.function, "countdown");
    assert_eq!(definition.aliases, [""; 0]);
    assert!(definition.file.ends_with("tests/contract.rs"));
    let source = include_str!("contract.rs").lines();
    let declared = source.take_while(|line| !line.starts_with("async fn countdown"));
    let line = u32::try_from(declared.count() + 1).expect("the file is short");
    assert_eq!(definition.line, line);
}

#[test]
fn a_given_name_and_aliases_are_taken_as_they_are() {
    let definition = workflow_named("tick").expect("it is registered");
    assert_eq!(definition.function, "without_arguments");
    assert_eq!(definition.aliases, ["tack"]);
}

#[test]
fn in_its_body_a_function_means_its_call() {
    let definition = workflow_named("contract::countdown").expect("it is registered");
    assert_eq!(finished((definition.run)("[3]")), Ok("\"[2]\"".to_owned()));
    let call = countdown(3);
    assert_eq!(
        (call.name, call.arguments.as_str()),
        (definition.name, "[3]")
    );
}

#[test]
fn no_arguments_are_an_empty_array() {
    let definition = workflow_named("tick").expect("it is registered");
    assert_eq!(without_arguments().arguments, "[]");
    assert_eq!(finished((definition.run)("[]")), Ok("null".to_owned()));
    assert!((definition.run)("[1]").is_err());
}

#[test]
fn patterns_and_our_own_names_are_arguments_like_others() {
    let definition = step_named("contract::run").expect("it is registered");
    assert_eq!(run(1, (2, 3), true, 4, 5).arguments, "[1,[2,3],true,4,5]");
    let body = (definition.run)("[1,[2,3],true,4,5]", &Provided(Vec::new()));
    assert_eq!(finished(body), Ok("15".to_owned()));
}

#[test]
fn a_step_has_its_options_or_the_defaults() {
    let options = |name: &str| {
        let step = step_named(name).expect("it is registered");
        (
            step.function,
            step.max_retries,
            step.timeout_ms,
            step.backoff_ms,
        )
    };
    assert_eq!(options("contract::run"), ("run", 3, None, 1_000));
    assert_eq!(
        options("contract::greet"),
        ("greet", 5, Some(30_000), 2_000)
    );
    let step = step_named("contract::greet").expect("it is registered");
    assert!(step.file.ends_with("tests/contract.rs"));
    assert!(step.line > 1);
}

#[test]
fn provided_values_are_found_by_type_and_left_out_of_the_call() {
    let definition = step_named("contract::greet").expect("it is registered");
    let types: Vec<&str> = definition.provided.iter().map(|of| of().0).collect();
    assert_eq!(types, ["contract::Greeting", "u8"]);
    assert_eq!(greet("Ann".to_owned()).arguments, "[\"Ann\"]");

    let provided = Provided(vec![Box::new(2_u8), Box::new(Greeting("hello"))]);
    let body = (definition.run)("[\"Ann\"]", &provided);
    assert_eq!(finished(body), Ok("\"hello Ann 2\"".to_owned()));

    let body = (definition.run)("[\"Ann\"]", &Provided(vec![Box::new(2_u8)]));
    assert_eq!(finished(body), Err("missing contract::Greeting".to_owned()));
}
