from fmstudio.worker.jobs import Job, JobHeap, Priority, Ticket


def job(number: int, priority: Priority) -> Job:
    return Job(Ticket(f"lane {number}", number), lambda token: iter(()), priority)


def test_the_most_urgent_goes_first_and_of_equals_the_earliest():
    batch, second, preview = (
        job(1, Priority.BATCH),
        job(2, Priority.BATCH),
        job(3, Priority.PREVIEW),
    )
    heap = JobHeap()
    for each in (batch, second, preview):
        heap.push(each)
    order = []
    while heap:
        order.append(heap.first())
        heap.remove(heap.first())
    assert order == [preview, batch, second]


def test_a_job_is_taken_out_wherever_it_stands():
    jobs = [job(n, Priority.BATCH) for n in range(5)]
    heap = JobHeap()
    for each in jobs:
        heap.push(each)
    heap.remove(jobs[0])
    heap.remove(jobs[3])
    assert heap.first() is jobs[1]
    heap.remove(jobs[1])
    assert heap.first() is jobs[2]
    heap.remove(jobs[2])
    assert heap.first() is jobs[4]
