using System.Collections.Concurrent;

namespace Nhi.TokenExchange.Soak;

/// <summary>Which credentials of one job were handed out, and when.</summary>
internal sealed class HandOuts(string run)
{
    private readonly ConcurrentDictionary<(string Target, string Fingerprint), Tally> _tallies = new();

    public void Add(string target, Credential credential, TimeSpan start, TimeSpan returned) =>
        _tallies.GetOrAdd((target, credential.Fingerprint), _ => new Tally { UnusableFrom = credential.UnusableFrom }).Add(start.Ticks, returned.Ticks);

    public void Rejected(string target, Credential credential, TimeSpan at) => _tallies[(target, credential.Fingerprint)].RejectedAt = at.Ticks;

    public void WriteTo(RecordFile file)
    {
        foreach (((string target, string fingerprint), Tally tally) in _tallies)
            file.Add(tally.ToRecord(run, target, fingerprint));
    }

    private sealed class Tally
    {
        private readonly Lock _gate = new();
        private long _firstReturn = long.MaxValue;
        private long _lastStart;
        private long _lastReturn;
        private long _startOfLastReturn;
        private long _count;

        public DateTimeOffset UnusableFrom { get; init; }

        public long? RejectedAt { get; set; }

        public void Add(long start, long returned)
        {
            lock (_gate)
            {
                _firstReturn = Math.Min(_firstReturn, returned);
                _lastStart = Math.Max(_lastStart, start);
                if (returned > _lastReturn)
                    (_lastReturn, _startOfLastReturn) = (returned, start);
                _count++;
            }
        }

        public HandOutRecord ToRecord(string run, string target, string fingerprint) => new(run, target, fingerprint, _firstReturn, _lastStart, _lastReturn, _startOfLastReturn, _count, UnusableFrom, RejectedAt);
    }
}
