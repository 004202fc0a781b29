namespace Nhi.TokenExchange.Tests.Caching;

public class LeaseRecordTests
{
    [Test]
    public void Flight_and_key_stand_in_one_field_and_keep_apart([Values(1L, 4_294_967_296L, (1L << 36) - 1)] long flightNumber)
    {
        for (int i = 0; i < 1000; i++)
        {
            CredentialRequest request = Of(i), same = Of(i), other = Of(i + 1);

            LeaseRecord lease = default(LeaseRecord).From(flightNumber, request), ofTheTarget = default(LeaseRecord).From(flightNumber, null);

            Assert.That((lease.FlightNumber, lease.IsOf(same), lease.IsOf(other), lease.IsOf(null)), Is.EqualTo((flightNumber, true, false, false)));
            Assert.That((ofTheTarget.FlightNumber, ofTheTarget.IsOf(null), ofTheTarget.IsOf(request)), Is.EqualTo((flightNumber, true, false)));
        }
    }

    private static CredentialRequest Of(int tenant) => new() { Tenant = tenant.ToString(System.Globalization.CultureInfo.InvariantCulture) };
}
