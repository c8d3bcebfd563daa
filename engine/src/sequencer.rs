//! Numbers the inputs, has each recorded, and steps the engine: the one place where an input comes to be.

use model::{Body, Control, Event, Input, Ts};

use crate::audit::Tap;
use crate::gateway::ends::EngineEnd;
use crate::journal::recorder::Recorder;
use crate::output::Output;
use crate::step::{Engine, NewRules, Stamp};

/// An engine and what it takes to feed it.
pub struct Sequencer {
    /// The engine.
    pub engine: Engine,
    /// What its steps leave behind.
    pub out: Output,
    /// Where inputs are recorded; `None`: nowhere.
    pub recorder: Option<Recorder>,
    /// Where the audit log takes what steps leave behind; `None`: there is none.
    pub audit: Option<Tap>,
    /// Where what is to be sent goes; `None`: there is no venue outside.
    pub venue: Option<EngineEnd>,
}

impl Sequencer {
    /// Goes on with an engine, fresh or replayed.
    pub fn new(engine: Engine, recorder: Option<Recorder>) -> Sequencer {
        let out = engine.output();
        Sequencer { engine, out, recorder, audit: None, venue: None }
    }

    /// Takes a message of a feed at its receive time.
    pub fn event(&mut self, event: &Event, stamp: &mut impl Stamp) {
        let seq = self.engine.seq() + 1;
        if let Some(recorder) = &mut self.recorder {
            recorder.event(seq, event);
        }
        let tape = self.begin();
        self.engine.hear(seq, event, &mut self.out, stamp);
        self.end(tape, seq, || Input { seq, now: event.ts_recv, body: Body::Event(*event) });
    }

    /// Takes anything else at engine time `now`.
    pub fn input(&mut self, now: Ts, body: Body, stamp: &mut impl Stamp) {
        let input = Input { seq: self.engine.seq() + 1, now, body };
        if let Some(recorder) = &mut self.recorder {
            recorder.input(&input);
        }
        self.step(&input, stamp);
    }

    /// Puts limits in force by `control`, which means them: their text is recorded, then the control. What comes back is for
    /// another thread to drop.
    ///
    /// # Errors
    ///
    /// The limits as they came, if their text cannot be recorded; nothing is changed.
    pub fn limits(
        &mut self,
        now: Ts,
        mut rules: Box<NewRules>,
        control: Control,
        stamp: &mut impl Stamp,
    ) -> Result<Option<Box<NewRules>>, Box<NewRules>> {
        if let Some(recorder) = &mut self.recorder {
            let text = std::mem::take(&mut rules.text);
            if let Err(text) = recorder.file(self.engine.seq(), text) {
                rules.text = text;
                return Err(rules);
            }
        }
        self.engine.offer(rules);
        self.input(now, Body::Control(control), stamp);
        Ok(self.engine.take_spent())
    }

    fn step(&mut self, input: &Input, stamp: &mut impl Stamp) {
        let tape = self.begin();
        self.engine.step(input, &mut self.out, stamp);
        self.end(tape, input.seq, || *input);
    }

    /// Where on the tape the step begins.
    #[inline]
    fn begin(&mut self) -> usize {
        self.out.judged.clear();
        self.out.tape.len()
    }

    /// Hands on what the step of an input left behind. The audit log alone looks at the input.
    #[inline]
    fn end(&mut self, tape: usize, seq: u64, input: impl FnOnce() -> Input) {
        match &mut self.venue {
            None => self.out.sends.clear(), // A replay; or the paper venue, for which there are none.
            Some(venue) => {
                let sends = venue.take(seq, &mut self.out.sends, &self.engine);
                if sends && let Some(recorder) = &mut self.recorder {
                    recorder.flush(); // What waits to be recorded waits for this input.
                }
            }
        }
        if let Some(audit) = &mut self.audit {
            audit.observe(&self.engine, &input(), &self.out, tape);
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.checkpoint(seq, self.engine.state_hash());
            if recorder.is_deep_due(seq) {
                recorder.deep(seq, self.engine.full_hash());
            }
        }
    }
}
