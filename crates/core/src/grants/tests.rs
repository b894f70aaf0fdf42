//! Renewals with an issuer and a key store that misbehave. Time is tokio's, which stands still until all wait for it.

mod parts;

use std::time::Duration;

use keybearer_model::time::Timestamp;
use tokio::time::Instant;

use self::parts::{Answers, World};
use super::{Demand, Ending, Farewell, Life, MintError, Revocation};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn sec_40_a_key_store_that_takes_its_time_is_waited_for() {
    let world = World::start();
    let handle = world.sign_in().await;
    world.keys.takes(secs(3));
    let begun = Instant::now();
    world.mint(&handle).await.unwrap();
    assert!(begun.elapsed() >= secs(3), "the bearer came after {:?}", begun.elapsed());
    assert_eq!((world.stored().await, handle.life()), (1, Life::Good { saved: true, renewable: true }));
}

#[tokio::test(start_paused = true)]
async fn sec_40_a_dead_key_store_is_waited_for_some_seconds_and_asked_until_it_takes_the_grant() {
    let world = World::start();
    let handle = world.sign_in().await;
    world.keys.dies();
    let begun = Instant::now();
    world.mint(&handle).await.unwrap();
    let first = begun.elapsed();
    assert!((secs(2)..=secs(12)).contains(&first), "{first:?}");
    assert_eq!(handle.life(), Life::Good { saved: false, renewable: true });
    let begun = Instant::now();
    world.mint(&handle).await.unwrap();
    assert!(begun.elapsed() <= secs(8), "{:?}", begun.elapsed());
    world.keys.recovers();
    let saved =
        handle.watch().wait_for(|state| state.life == Life::Good { saved: true, renewable: true }).await.is_ok();
    assert!(saved);
    assert_eq!((world.stored().await, world.issuer.refreshes(), world.issuer.replays()), (2, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn sec_41_two_processes_on_one_grant_never_send_one_token_twice() {
    let world = World::start();
    let one = world.sign_in().await;
    let other_process = world.another_process();
    let two = other_process.open(&one.facts().id).await.unwrap().unwrap();
    for _ in 0..20 {
        let (first, second) = tokio::join!(world.mint(&one), world.mint(&two));
        assert!(first.is_ok() && second.is_ok());
    }
    assert_eq!((world.issuer.refreshes(), world.issuer.replays()), (40, 0));
}

#[tokio::test(start_paused = true)]
async fn sec_42_nobody_who_stops_waiting_cancels_a_renewal() {
    let world = World::start();
    let handle = world.sign_in().await;
    for patience in 0..40 {
        world.issuer.takes(Duration::from_millis(20));
        world.keys.takes(Duration::from_millis(5));
        let _ = tokio::time::timeout(Duration::from_millis(patience), world.mint(&handle)).await;
    }
    world.mint(&handle).await.unwrap();
    assert_eq!((world.issuer.refreshes(), world.issuer.replays()), (41, 0));
    assert_eq!(world.stored().await, 41);
}

#[tokio::test(start_paused = true)]
async fn sec_43_a_lost_answer_is_asked_for_again_and_what_is_lost_is_called_interrupted() {
    let (generous, strict) = (World::start(), World::start());
    generous.issuer.has_grace(secs(10));
    let handle = generous.sign_in().await;
    generous.issuer.will(Answers::Lost);
    generous.mint(&handle).await.unwrap();
    assert_eq!((generous.stored().await, generous.issuer.asked()), (1, 2));

    let handle = strict.sign_in().await;
    strict.issuer.will(Answers::Lost);
    let error = strict.mint(&handle).await.unwrap_err();
    assert!(matches!(error, MintError::Over(Ending::Interrupted { .. })), "{error:?}");
    assert_eq!((strict.stored().await, handle.life()), (0, Life::Over(error_ending(&error))));
}

fn error_ending(error: &MintError) -> Ending {
    match error {
        MintError::Over(ending) => *ending,
        MintError::Refused { .. } | MintError::Unreachable { .. } => panic!("{error:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn sec_43_while_bearers_serve_a_token_that_is_perhaps_used_stays_here() {
    let world = World::start();
    let handle = world.sign_in().await;
    world.issuer.will(Answers::Lost);
    for _ in 0..3 {
        let error = world.mint_for(&handle, Demand::Ahead).await.unwrap_err();
        assert!(matches!(error, MintError::Unreachable { .. }), "{error:?}");
        tokio::time::sleep(secs(400)).await;
    }
    assert_eq!(world.issuer.asked(), 1, "nobody needs it, and asking again may end what still serves");
    assert!(world.mint(&handle).await.is_err());
    assert_eq!(world.issuer.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn sec_43_what_another_process_left_open_is_tried_at_once() {
    for grace in [secs(10), Duration::ZERO] {
        let world = World::start();
        world.issuer.has_grace(grace);
        let handle = world.sign_in().await;
        let id = handle.facts().id.clone();
        // The issuer has answered, and the process ends before the key store has it.
        world.keys.dies();
        world.mint(&handle).await.unwrap();
        world.keys.recovers();
        let after = world.another_process();
        let handle = after.open(&id).await.unwrap().unwrap();
        assert!(handle.was_interrupted() && !handle.was_interrupted(), "the first who asks is told, once");
        let minted = world.mint(&handle).await;
        match minted {
            Ok(_) => assert!(grace > Duration::ZERO),
            Err(error) => {
                assert!(matches!(error, MintError::Over(Ending::Interrupted { .. })) && grace.is_zero(), "{error:?}");
            }
        }
        assert!(!world.another_process().open(&id).await.unwrap().is_some_and(|handle| handle.was_interrupted()));
    }
}

#[tokio::test(start_paused = true)]
async fn sec_44_a_refusal_counts_for_the_generation_that_was_sent() {
    let world = World::start();
    let handle = world.sign_in().await;
    let id = handle.facts().id.clone();
    // Whoever does not take the lock renews between our question and the answer to it.
    world.issuer.will(Answers::RefusedAfter(world.thief()));
    world.mint(&handle).await.unwrap();
    assert_eq!((world.stored().await, handle.life()), (2, Life::Good { saved: true, renewable: true }));

    world.issuer.will(Answers::Refused("invalid_grant"));
    let error = world.mint(&handle).await.unwrap_err();
    assert!(matches!(error, MintError::Over(Ending::Refused { .. })), "{error:?}");
    // Whoever asked is told at once; what ended is noted and deleted behind it.
    for _ in 0..10_000 {
        if world.stored().await == 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(world.stored().await, 0);
    assert!(world.grants.open(&id).await.unwrap().is_some(), "its owner knows how it ended");
}

#[tokio::test(start_paused = true)]
async fn sec_44_a_newer_generation_that_came_too_late_for_us_is_left_alone() {
    let world = World::start();
    let handle = world.sign_in().await;
    world.issuer.will(Answers::RefusedAfter(world.thief()));
    world.issuer.will(Answers::Refused("invalid_grant"));
    world.issuer.when_refused(world.late_thief());
    assert!(world.mint(&handle).await.is_err());
    assert_eq!(world.stored().await, 9, "it is somebody else's");
}

#[tokio::test(start_paused = true)]
async fn sec_45_no_trouble_of_the_moment_signs_anybody_out() {
    let world = World::start();
    world.issuer.has_grace(secs(3600));
    let handle = world.sign_in().await;
    let began = world.clock();
    let troubles = [
        Answers::Unreachable,
        Answers::Status(500),
        Answers::Status(502),
        Answers::Status(503),
        Answers::Status(429),
        Answers::Status(403),
        Answers::Nonsense,
        Answers::Lost,
    ];
    for trouble in troubles {
        world.issuer.will_twice(trouble.clone());
        match world.mint(&handle).await {
            Err(MintError::Unreachable { since, .. }) => assert!(since >= began, "{trouble:?}"),
            Ok(_) => panic!("{trouble:?} gave a bearer"),
            Err(error) => panic!("{trouble:?}: {error:?}"),
        }
        assert!(matches!(handle.life(), Life::Good { .. }), "{trouble:?}");
        // Longer than anybody waits between two attempts.
        tokio::time::sleep(secs(301)).await;
        world.issuer.recovers();
        world.mint(&handle).await.unwrap();
    }
    assert_eq!(world.issuer.replays(), 0);
}

#[tokio::test(start_paused = true)]
async fn sec_45_while_an_issuer_is_away_one_tries_and_the_others_hear_since_when() {
    let world = World::start();
    let handle = world.sign_in().await;
    let began = world.clock();
    world.issuer.will_always(Answers::Busy(120));
    let mut asked = Vec::new();
    for _ in 0..60 {
        let error = world.mint(&handle).await.unwrap_err();
        assert!(matches!(error, MintError::Unreachable { since, .. } if since == began), "{error:?}");
        asked.push(world.issuer.asked());
        tokio::time::sleep(secs(10)).await;
    }
    assert_eq!((asked[0], asked[11], asked[59]), (1, 1, 5), "every two minutes, as it asks for: {asked:?}");
    world.issuer.recovers();
    tokio::time::sleep(secs(301)).await;
    world.mint(&handle).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn sec_48_signing_out_takes_no_second_here_however_long_the_issuer_takes() {
    let world = World::start();
    let handle = world.sign_in().await;
    world.issuer.takes(secs(60));
    let renewing = world.mint(&handle);
    tokio::pin!(renewing);
    assert!(tokio::time::timeout(secs(1), &mut renewing).await.is_err());
    let begun = Instant::now();
    let mut watch = handle.watch();
    let upstream = World::upstream();
    let signing_out = handle.sign_out(&upstream, Farewell::Revoke);
    let gone = async {
        watch.wait_for(|state| state.life == Life::Over(Ending::SignedOut)).await.unwrap();
        while world.stored().await > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        begun.elapsed()
    };
    let (revocation, gone) = tokio::join!(signing_out, gone);
    assert!(gone <= secs(1), "{gone:?}");
    assert!(matches!(revocation, Revocation::Failed(_)) && begun.elapsed() <= secs(6), "{revocation:?}");
    assert!(renewing.await.is_ok(), "what was asked for before comes");
    tokio::time::sleep(secs(120)).await;
    assert_eq!((world.stored().await, world.issuer.revoked()), (0, 1), "what it brought is revoked and not kept");
    assert!(world.mint(&handle).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn whoever_turns_off_is_told_of_what_is_still_being_stored() {
    let world = World::start();
    let handle = world.sign_in().await;
    world.serves("crm");
    assert!(world.grants.save_all(secs(10)).await.is_empty());
    world.keys.dies();
    // Asked while the renewal's token is being stored, which counts as saved so far.
    let asked = async {
        tokio::time::sleep(secs(1)).await;
        assert_eq!(handle.life(), Life::Good { saved: true, renewable: true });
        let begun = Instant::now();
        (world.grants.save_all(secs(10)).await, begun.elapsed())
    };
    let (minted, (losing, took)) = tokio::join!(world.mint(&handle), asked);
    assert!(minted.is_ok() && took <= secs(10), "{took:?}");
    assert_eq!(losing.iter().map(ToString::to_string).collect::<Vec<_>>(), ["crm"]);
    world.keys.recovers();
    assert!(world.grants.save_all(secs(10)).await.is_empty());
    assert_eq!(world.stored().await, 1);
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_until_what_was_renewed_is_kept() {
    let world = World::start();
    let handle = world.sign_in().await;
    world.keys.fails();
    world.mint(&handle).await.unwrap();
    assert_eq!((world.stored().await, handle.life()), (0, Life::Good { saved: false, renewable: true }));
    world.keys.recovers();
    world.grants.finish().await;
    assert_eq!(world.stored().await, 1);
    assert!(world.mint(&handle).await.is_err(), "nothing is renewed after it");
    assert!(world.clock() > Timestamp::from_millis(0));
}
