using System.Buffers.Binary;

namespace Nhi.TokenExchange.Tests.Caching;

public class FlightNumbersTests
{
    [Test]
    public void An_id_is_the_sessions_half_and_then_the_number()
    {
        var numbers = new FlightNumbers();
        byte[] first = numbers.IdOf(numbers.Next()).ToByteArray(bigEndian: true), second = numbers.IdOf(numbers.Next()).ToByteArray(bigEndian: true);

        Assert.That(second[..8], Is.EqualTo(first[..8]));
        Assert.That(BinaryPrimitives.ReadInt64BigEndian(first.AsSpan(8)), Is.EqualTo(1));
        Assert.That(BinaryPrimitives.ReadInt64BigEndian(second.AsSpan(8)), Is.EqualTo(2));
    }

    [Test]
    public void The_same_number_of_another_session_is_another_id()
    {
        var one = new FlightNumbers();
        var other = new FlightNumbers();

        Assert.That(one.IdOf(7), Is.Not.EqualTo(other.IdOf(7)));
    }

    [Test]
    public void All_flights_of_a_session_name_it_by_the_id_of_its_flight_0([Values(1L, 7L, long.MaxValue)] long number)
    {
        var numbers = new FlightNumbers();

        Assert.That(FlightNumbers.SessionOf(numbers.IdOf(number)), Is.EqualTo(numbers.IdOf(0)));
    }
}
