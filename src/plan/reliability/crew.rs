//! Who repairs what, and in which order.

/// A repair crew, or several that share one list of work.
///
/// Whatever waits stands in a queue; as many from its head as there are crews are under repair.
/// Which place a new one takes is the order's affair. One that is interrupted resumes later where it
/// stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crew {
    /// How many repairs can go on at once, at least one.
    pub count: u32,
    /// Who comes first.
    pub order: Order,
}

/// In which order a crew repairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// In the order of failure: a new one goes to the end of the queue, and a repair under way is
    /// never interrupted.
    Fcfs,
    /// A new one goes behind those of the same or higher urgency and before all others, whose repair
    /// is interrupted if they are pushed out of the places under repair.
    Preemptive,
}
